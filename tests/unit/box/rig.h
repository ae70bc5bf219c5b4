/* A box, a root folder and the hostile guests, for the tests of this folder. */
#ifndef BX_TESTS_BOX_RIG_H
#define BX_TESTS_BOX_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "base/file.h"
#include "base/path.h"
#include "box/box.h"
#include "box/receipt.h"
#include "box/wall_linux.h"
#include "box/worker.h"

struct rig {
    char *dir; /* scratch: root/, secret, cache/, receipts/ */
    char *root;
    char *guests; /* NAME.wasm */
    struct bx_box *box;
};
static struct rig rig;

static inline void rig_open(void) { /* a new box, with the controls that BX_UNWIRE says */
    bx_auto(bx_freep) char *cache = bx_path_join(rig.dir, "cache"),
                           *receipts = bx_path_join(rig.dir, "receipts");
    struct bx_box_config config = {.cache_dir = cache, .receipts_dir = receipts};
    struct bx_err err = {0};
    bx_box_free(rig.box);
    if (bx_box_new(&config, &rig.box, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

static inline int rig_setup(void **state) {
    (void)state;
    char scratch[] = "/tmp/bx-box-XXXXXX";
    struct bx_err err = {0};
    struct bx_buf guests = BX_BUF_INIT(4096);
    rig.dir = bx_path_real(mkdtemp(scratch), &err);
    rig.root = bx_path_join(rig.dir, "root");
    FILE *builder = popen(BX_TESTS_DIR "/attack/build_guests.sh", "r");
    for (int c; builder && (c = fgetc(builder)) != EOF && c != '\n';) {
        bx_buf_addc(&guests, (char)c);
    }
    if (!builder || pclose(builder) != 0) {
        return -1;
    }
    rig.guests = bx_buf_steal(&guests);
    unsetenv("BX_UNWIRE");
    bx_dir_make(rig.root, 0755, NULL);
    rig_open();
    return 0;
}

static inline int rig_teardown(void **state) {
    (void)state;
    bx_box_free(rig.box);
    bx_dir_remove(rig.dir, NULL);
    bx_free(rig.dir);
    bx_free(rig.root);
    bx_free(rig.guests);
    return 0;
}

static inline void rig_file(const char *name, const char *content) { /* below the scratch folder */
    bx_auto(bx_freep) char *path = bx_path_join(rig.dir, name);
    assert_int_equal(bx_file_write_atomic(path, bx_str(content), 0644, NULL), 0);
}

static inline struct bx_image *rig_image(const char *guest, bool fuel) {
    bx_auto(bx_freep) char *path = bx_asprintf("%s/%s.wasm", rig.guests, guest);
    bx_auto(bx_buf_deinit) struct bx_buf wasm = BX_BUF_INIT(BX_IMAGE_WASM_MAX);
    struct bx_err err = {0};
    struct bx_image *image = NULL;
    if (bx_file_read(path, &wasm, &err) < 0 ||
        bx_box_image(rig.box, bx_buf_str(&wasm), fuel, &image, &err) < 0) {
        fail_msg("%s: %s", guest, err.msg);
    }
    return image;
}

/* "guest arg arg" with limits "time=1s cpu=2s"; mounted at "/" is `mount` (NULL: the root), at "/extra" another folder. */
struct rig_call {
    const char *command;
    const struct bx_image *image; /* of the guest; NULL: it is loaded for this call */
    const char *limits;
    const char *mount;
    bool writable;
    const char *extra;
    bool extra_writable;
    struct bx_cancel *cancel;
    struct bx_str input;
    void (*output)(void *user, int fd, struct bx_str piece);
    bx_outbound_fn *outbound;
    void *user;
    const struct bx_bar *bars;
    size_t bar_count;
};
static inline int rig_run(const struct rig_call *c, struct bx_box_result *ret, struct bx_err *err) {
    struct bx_mount mounts[] = {{c->mount ? c->mount : rig.root, "/", c->writable},
                                {c->extra, "/extra", c->extra_writable}};
    struct bx_grant grant;
    bx_grant_init(&grant);
    grant.mounts = mounts;
    grant.mount_count = c->extra ? 2 : 1;
    grant.bars = c->bars;
    grant.bar_count = c->bar_count;
    const char *argv[64];
    size_t argc = 0;
    bx_auto(bx_freep) char *words = bx_strdup(c->command),
                           *limits = bx_strdup(c->limits ? c->limits : "");
    for (char *at = words, *word; (word = strsep(&at, " "));) {
        argv[argc++] = word;
    }
    for (char *at = limits, *word; (word = strsep(&at, " ")) && *word;) {
        if (bx_limits_set_pair(&grant.limits, word, err) < 0) {
            fail_msg("%s", err->msg);
        }
    }
    bx_auto(bx_image_freep) struct bx_image *loaded =
        c->image ? NULL : rig_image(argv[0], grant.limits.value[BX_LIMIT_FUEL] > 0);
    struct bx_box_request request = {
        .tool = argv[0],
        .image = c->image ? c->image : loaded,
        .argv = argv,
        .argc = argc,
        .input = c->input,
        .grant = &grant,
        .output = c->output,
        .outbound = c->outbound,
        .user = c->user,
        .repeatable = !c->writable,
    };
    return bx_box_call(rig.box, &request, c->cancel, ret, err);
}

/* The process of the only worker, found in /proc; 0 when there is none. */
static inline pid_t rig_worker(void) {
    pid_t found = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d));) {
        char name[64], line[256];
        int ppid = 0;
        snprintf(name, sizeof name, "/proc/%.20s/stat", e->d_name);
        FILE *f = e->d_name[0] >= '0' && e->d_name[0] <= '9' ? fopen(name, "r") : NULL;
        if (f && fgets(line, sizeof line, f) && strrchr(line, ')') &&
            sscanf(strrchr(line, ')') + 1, " %*c %d", &ppid) == 1 && ppid == getpid()) {
            found = (pid_t)strtol(e->d_name, NULL, 10);
        }
        if (f) {
            fclose(f);
        }
    }
    if (d) {
        closedir(d);
    }
    return found;
}

#endif
