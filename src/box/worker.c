#include "box/worker.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/vec.h"
#include "box/channel.h"
#include "box/flusher.h"
#include "box/slot.h"
#include "base/unwire.h"
#include "box/wall_linux.h"

struct worker {
    struct bx_buf frame, reply;
    struct bx_config_frame config;
    struct bx_wall_plan plan;
    struct bx_wall_report wall;
    struct bxe_dir dirs[BX_MOUNTS_MAX];
    struct bx_slot_setup setup;
    BX_VEC(struct bx_slot *) slots; /* the server counts them the same way */
};

/* Last words; the server adds them to the error of the calls that die with us. */
static void say_fatal(const char *message) {
    bx_auto(bx_buf_deinit) struct bx_buf frame = BX_BUF_INIT(BX_FRAME_MAX);
    bx_frame_begin(&frame, BX_FRAME_FATAL, 0);
    bx_put_str(&frame, bx_str_slice(bx_str(message), 0, 400));
    bx_channel_try_send(BX_BOX_WORKER_FD, &frame, NULL);
}

static unsigned unwired_parts(void) {
    unsigned parts = 0;
    for (unsigned part = 1; part & BX_WALL_ALL; part <<= 1) {
        parts |= bx_unwired(bx_wall_part_name((enum bx_wall_part)part)) ? part : 0;
    }
    return parts;
}

/* Each call opens its folders anew, by a name that means this very folder, for as long as the
 * worker lives: a guest may put a link in a folder's place meanwhile. */
static int hold_mount(const struct bx_mount *m, struct bxe_dir *ret, struct bx_err *err) {
    int fd = bx_dir_open_real(m->host_path, O_PATH);
    if (fd < 0) {
        return bx_fail_errno(err, errno, "the folder %.300s cannot be mounted", m->host_path);
    }
    *ret = (struct bxe_dir){bx_asprintf("/proc/self/fd/%d", fd), m->guest_path, m->writable};
    return 0;
}

static int start(struct worker *w, struct bx_err *err) {
    struct bx_frame f;
    int r = bx_channel_recv(BX_BOX_WORKER_FD, &w->frame, &f, NULL, err);
    if (r < 0 || f.type != BX_FRAME_CONFIG) {
        return r < 0 ? r : bx_fail(err, BX_ERR_PROTO, "box protocol: no configuration");
    }
    r = bx_config_decode(f.body, &w->config, err);
    if (r < 0) {
        return r;
    }
    bx_unwire_set(w->config.unwire);
    w->plan = (struct bx_wall_plan){
        .mounts = w->config.mounts,
        .mount_count = w->config.mount_count,
        .written_max_bytes = bx_unwired("written") ? UINT64_MAX : w->config.written_max_bytes,
        .parent = (pid_t)w->config.server_pid,
        .keep_fd = BX_BOX_WORKER_FD,
        .skip = unwired_parts(),
    };
    r = bx_wall_prepare(&w->plan, &w->wall, err);
    r = r < 0 ? r : bx_loader_new(&w->setup.loader, err);
    if (r < 0) {
        return r;
    }
    bx_wall_close(&w->plan, &w->wall);
    bx_guest_threads_prepare();
    w->setup.crew = bx_guest_crew_new(BXE_ROOM - BX_WORKER_CALLS_MAX);
    w->setup.flusher = bx_flusher_new(bx_slot_flush);
    w->setup.dirs = w->dirs;
    w->setup.dir_count = w->config.mount_count;
    struct bx_hello_frame hello = {
        .wall_parts = w->wall.parts,
        .landlock_abi = w->wall.landlock_abi,
        .probed_parts = w->config.probe ? bx_wall_probe() : 0,
        .compat = bx_loader_compat(w->setup.loader),
        .engine = bx_str(bxe_version()),
    };
    for (size_t i = 0; i < w->config.mount_count && r == 0;
         i++) { /* after the attempts, which find no other */
        r = hold_mount(&w->config.mounts[i], &w->dirs[i], err);
    }
    if (r < 0) {
        return r;
    }
    bx_hello_encode(&w->reply, &hello);
    return bx_channel_send(BX_BOX_WORKER_FD, &w->reply, NULL, 0, err);
}

static int read_all(int memfd, unsigned char **ret, size_t *ret_size, struct bx_err *err) {
    struct stat st;
    if (fstat(memfd, &st) != 0 || st.st_size <= 0) {
        return bx_fail(err, BX_ERR_PROTO, "box protocol: nothing to compile");
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, memfd, 0);
    if (p == MAP_FAILED) {
        return bx_fail_errno(err, errno, "the tool cannot be mapped");
    }
    *ret = p;
    *ret_size = (size_t)st.st_size;
    return 0;
}

static int compile(bool fuel, int in_fd, int out_fd, struct bx_err *err) {
    char why[400];
    unsigned char *wasm = NULL;
    uint8_t *made = NULL;
    size_t wasm_size = 0, made_size = 0;
    int r = read_all(in_fd, &wasm, &wasm_size, err);
    if (r < 0) {
        return r;
    }
    struct bxe_engine_config config = {.max_stack_bytes = 512 * BX_KIB, .fuel = fuel};
    struct bxe_engine *engine = bxe_engine_new(&config, why, sizeof why);
    if (!engine) {
        r = bx_fail(err, BX_ERR_INTERNAL, "the compiler does not start: %s", why);
    } else if (bxe_compile(engine, wasm, wasm_size, &made, &made_size, why, sizeof why) < 0) {
        r = bx_fail(err, BX_ERR_INVALID, "%s", why);
    } else {
        int e = bx_write_all(out_fd, made, made_size);
        r = e < 0 ? bx_fail_errno(err, -e, "the compiled tool cannot be handed over") : 0;
        bxe_bytes_free(made, made_size);
    }
    bxe_engine_free(engine);
    munmap(wasm, wasm_size);
    return r;
}

static int on_compile(struct worker *w, struct bx_str body, const int *fds, struct bx_err *err) {
    struct bx_reader r = bx_reader(body);
    bool fuel = bx_read_u8(&r) != 0;
    struct bx_err why = {0};
    int code = bx_read_end(&r, err);
    if (code < 0) {
        return code;
    }
    code = compile(fuel, fds[0], fds[1], &why);
    bx_frame_begin(&w->reply, BX_FRAME_COMPILED, 0);
    bx_put_u32(&w->reply, (uint32_t)-code);
    bx_put_str(&w->reply, bx_str(why.msg));
    return bx_channel_send(BX_BOX_WORKER_FD, &w->reply, NULL, 0, err);
}

static int on_frame(struct worker *w, const struct bx_frame *f, int *fds, struct bx_err *err) {
    struct bx_reader r = bx_reader(f->body);
    struct bx_slot *slot;
    int code = 0;
    size_t index;
    switch (f->type) {
    case BX_FRAME_SLOT:
        code = bx_slot_start(&w->setup, fds[0], &slot, err);
        fds[0] = -1;
        if (code == 0) {
            bx_vec_push(&w->slots, slot);
        }
        return code;
    case BX_FRAME_STOP:
        index = bx_read_u32(&r);
        if (index < w->slots.n) {
            bx_slot_stop(w->slots.p[index], f->call);
        }
        return 0;
    case BX_FRAME_COMPILE:
        return on_compile(w, f->body, fds, err);
    default:
        return bx_fail(err, BX_ERR_PROTO, "box protocol: a worker cannot do %d", (int)f->type);
    }
}

int bx_box_worker_main(void) {
    struct worker *w = bx_new(struct worker);
    struct bx_err err = {0};
    w->frame = w->reply = BX_BUF_INIT(BX_FRAME_MAX);
    bxe_set_panic_handler(say_fatal);
    int r = start(w, &err);
    while (r == 0) {
        struct bx_frame f;
        int fds[BX_CHANNEL_FDS];
        r = bx_channel_recv(BX_BOX_WORKER_FD, &w->frame, &f, fds, &err);
        if (r == BX_ERR_IO) {
            _exit(0); /* the server is done with us, whatever guests still do */
        }
        r = r < 0 ? r : on_frame(w, &f, fds, &err);
        for (size_t i = 0; i < BX_CHANNEL_FDS; i++) {
            bx_fd_close(&fds[i]);
        }
    }
    say_fatal(err.msg);
    _exit(1);
}
