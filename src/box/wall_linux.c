#include "box/wall_linux.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "loop/landlock_linux.h"
#include "loop/powers_linux.h"
#include "box/seccomp_linux.h"

#define DESCRIPTORS_MAX 4096

static const char *const part_names[] = {"no_new_privs", "parent_death", "descriptors", "landlock",
                                         "seccomp",      "rlimits",      "capabilities"};

const char *bx_wall_part_name(enum bx_wall_part part) {
    for (size_t i = 0; i < BX_ARRAY_LEN(part_names); i++) {
        if ((unsigned)part == 1u << i) {
            return part_names[i];
        }
    }
    return "?";
}

static __thread bool file_size_hit;

static void on_file_size(int signal_number) {
    (void)signal_number;
    file_size_hit = true; /* the write itself fails with EFBIG */
}

bool bx_wall_file_size_hit(void) {
    bool hit = file_size_hit;
    file_size_hit = false;
    return hit;
}

static int allow_mount(const struct bx_landlock *l, const struct bx_mount *m, struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = bx_dir_open_real(m->host_path, O_PATH);
    if (fd < 0) {
        return bx_fail_errno(err, errno, "the folder %.300s cannot be mounted", m->host_path);
    }
    int r = bx_landlock_allow_fd(l, fd, m->writable ? BX_FS_CHANGE : BX_FS_READ);
    return r < 0 ? bx_fail_errno(err, -r, "the folder %.300s cannot be fenced in", m->host_path)
                 : 0;
}

static int landlock(const struct bx_wall_plan *plan, struct bx_wall_report *ret,
                    struct bx_err *err) {
    struct bx_landlock l;
    bx_landlock_open(&l);
    ret->landlock_abi = l.abi;
    int r = 0;
    for (size_t i = 0; i < plan->mount_count && l.fd >= 0 && r == 0; i++) {
        r = allow_mount(&l, &plan->mounts[i], err);
    }
    if (r < 0) {
        bx_fd_close(&l.fd);
    } else if (bx_landlock_enforce(&l)) {
        ret->parts |= BX_WALL_LANDLOCK;
    }
    return r;
}

/* Standard streams become /dev/null, plan->keep_fd stays, all others go. */
static bool close_descriptors(int keep_fd) {
    bx_auto(bx_fd_close) int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) {
        return false;
    }
    for (int fd = 0; fd <= 2; fd++) {
        if (dup2(null, fd) < 0) {
            return false;
        }
    }
    bx_fd_close(&null);
    unsigned keep = (unsigned)keep_fd;
    if (keep > 3 && syscall(SYS_close_range, 3u, keep - 1, 0u) != 0) {
        return false;
    }
    return syscall(SYS_close_range, keep + 1, ~0u, 0u) == 0;
}

static bool limit(int what, uint64_t max) {
    struct rlimit now, want = {max, max};
    if (getrlimit((__rlimit_resource_t)what, &now) != 0) {
        return false;
    }
    if (now.rlim_max < want.rlim_max) {
        want.rlim_cur = want.rlim_max = now.rlim_max;
    }
    return setrlimit((__rlimit_resource_t)what, &want) == 0;
}

static bool limits(const struct bx_wall_plan *plan) {
    struct sigaction sa = {.sa_handler = on_file_size, .sa_flags = SA_RESTART | SA_ONSTACK};
    return sigaction(SIGXFSZ, &sa, NULL) == 0 && limit(RLIMIT_CORE, 0) &&
           limit(RLIMIT_NOFILE, DESCRIPTORS_MAX) && limit(RLIMIT_FSIZE, plan->written_max_bytes);
}

static bool die_with_parent(pid_t parent) {
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

static void say_missing(struct bx_wall_report *r) {
    struct bx_buf text = BX_BUF_INIT(sizeof r->missing - 1);
    for (size_t i = 0; i < BX_ARRAY_LEN(part_names); i++) {
        if (!(r->parts & 1u << i)) {
            bx_buf_addf(&text, "%s%s", text.size ? ", " : "", part_names[i]);
        }
    }
    snprintf(r->missing, sizeof r->missing, "%s", bx_buf_z(&text));
    bx_buf_deinit(&text);
}

int bx_wall_prepare(const struct bx_wall_plan *plan, struct bx_wall_report *ret,
                    struct bx_err *err) {
    *ret = (struct bx_wall_report){0};
#define PART(part, up) ret->parts |= !(plan->skip & (part)) && (up) ? (part) : 0u
    PART(BX_WALL_PARENT_DEATH, die_with_parent(plan->parent));
    PART(BX_WALL_DESCRIPTORS, close_descriptors(plan->keep_fd));
    PART(BX_WALL_RLIMITS, limits(plan));
    PART(BX_WALL_CAPABILITIES, bx_powers_drop());
    PART(BX_WALL_NO_NEW_PRIVS, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
#undef PART
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* nobody of this user reads its memory */
    int r = plan->skip & BX_WALL_LANDLOCK ? 0 : landlock(plan, ret, err);
    say_missing(ret);
    return r;
}

void bx_wall_close(const struct bx_wall_plan *plan, struct bx_wall_report *report) {
    if (!(plan->skip & BX_WALL_SECCOMP) && bx_seccomp_install() == 0) {
        report->parts |= BX_WALL_SECCOMP;
    }
    say_missing(report);
}

/* Attempts. Each is harmless when it succeeds. */

static bool opens(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static bool refused(long result) {
    return result == -1 && errno == EPERM;
}

static bool socket_refused(int family) {
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int why = errno;
    if (fd >= 0) {
        close(fd);
    }
    errno = why;
    return refused(fd);
}

static bool fork_refused(void) {
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        _exit(0);
    }
    int why = errno;
    if (pid > 0) {
        waitpid((pid_t)pid, NULL, 0);
    }
    errno = why;
    return refused(pid);
}

static bool exec_refused(void) {
    char *none[] = {NULL};
    return refused(syscall(SYS_execve, "", none, none)); /* ENOENT where exec is possible */
}

static bool other_calls_refused(void) {
    return refused(syscall(SYS_unshare, 0)) && refused(syscall(SYS_ptrace, 0xffff, 0, 0, 0)) &&
           refused(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL)) &&
           refused(syscall(SYS_bpf, 0xffff, NULL, 0));
}

/* A file or folder that has a name: nothing that a worker holds between calls. */
static bool holds_a_file(void) {
    for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
        struct stat st;
        if (fstat(fd, &st) == 0 &&
            (S_ISDIR(st.st_mode) || (S_ISREG(st.st_mode) && st.st_nlink > 0))) {
            return true;
        }
    }
    return false;
}

unsigned bx_wall_probe(void) {
    struct rlimit core = {1, 1}, files = {0}, size = {0};
    int signal_number = 0;
    unsigned parts = 0;
#define PART(part, up) parts |= (up) ? (part) : 0u
    PART(BX_WALL_NO_NEW_PRIVS, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    PART(BX_WALL_PARENT_DEATH,
         prctl(PR_GET_PDEATHSIG, &signal_number, 0, 0, 0) == 0 && signal_number == SIGKILL);
    PART(BX_WALL_DESCRIPTORS, !holds_a_file());
    PART(BX_WALL_LANDLOCK, !opens("/etc/passwd") && !opens("/") && !opens("/proc/self/maps"));
    PART(BX_WALL_SECCOMP, socket_refused(AF_INET) && socket_refused(AF_UNIX) && fork_refused() &&
                              exec_refused() && other_calls_refused());
    PART(BX_WALL_RLIMITS,
         getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0 &&
             getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max <= DESCRIPTORS_MAX &&
             getrlimit(RLIMIT_FSIZE, &size) == 0 && size.rlim_max != RLIM_INFINITY);
    PART(BX_WALL_CAPABILITIES, bx_powers_dropped());
#undef PART
    return parts;
}
