#include "model/server_wall.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/unwire.h"
#include "loop/deny_linux.h"
#include "loop/landlock_linux.h"
#include "loop/powers_linux.h"

static int wall_files(const char *model_path, const char *socket_dir, bool *ret_up,
                      struct bx_err *err) {
    struct bx_landlock l;
    *ret_up = false;
    if (bx_unwired("model_landlock")) {
        return 0;
    }
    bx_landlock_open(&l);
    if (!l.abi) {
        return 0;
    }
    int r = bx_landlock_allow(&l, model_path, LANDLOCK_ACCESS_FS_READ_FILE, err);
    if (r == 0) {
        r = bx_landlock_allow(&l, socket_dir,
                              LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                  LANDLOCK_ACCESS_FS_REMOVE_FILE,
                              err);
    }
    *ret_up = r == 0 && bx_landlock_enforce(&l);
    return r == 0 && !*ret_up ? bx_fail(err, BX_ERR_UNAVAILABLE, "landlock") : r;
}

int bx_server_wall(const char *model_path, const char *socket_dir, bool *ret_files,
                   struct bx_err *err) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return bx_fail_errno(err, errno, "no_new_privs");
    }
    if (!bx_unwired("model_powers") && !bx_powers_drop()) {
        return bx_fail_errno(err, errno, "root's powers cannot be dropped");
    }
    int r = wall_files(model_path, socket_dir, ret_files, err);
    if (r < 0 || bx_unwired("model_seccomp")) {
        return r;
    }
    return bx_deny_install(BX_DENY_EXEC | BX_DENY_PROCESSES, err);
}
