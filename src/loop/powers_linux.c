#include "loop/powers_linux.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define KEPT (1u << CAP_DAC_OVERRIDE | 1u << CAP_FOWNER)

struct held {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];
};

static bool get(struct held *h) {
    *h = (struct held){.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
    return syscall(SYS_capget, &h->header, h->data) == 0;
}

bool bx_powers_drop(void) {
    struct held h;
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    /* What root would be given by becoming another program. Refused to who may not; no_new_privs
     * gives nothing either. */
    for (unsigned long power = 0; prctl(PR_CAPBSET_READ, power, 0, 0, 0) >= 0; power++)
        if (power >= 32 || !(KEPT & 1u << power))
            prctl(PR_CAPBSET_DROP, power, 0, 0, 0);
    if (!get(&h))
        return false;
    for (size_t i = 0; i < 2; i++) {
        unsigned kept = i == 0 ? KEPT : 0;
        h.data[i].effective &= kept;
        h.data[i].permitted &= kept;
        h.data[i].inheritable = 0;
    }
    return syscall(SYS_capset, &h.header, h.data) == 0;
}

bool bx_powers_dropped(void) {
    struct held h;
    return get(&h) && !(h.data[0].permitted & ~KEPT) && !h.data[1].permitted &&
           !h.data[0].inheritable && !h.data[1].inheritable;
}
