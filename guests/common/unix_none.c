// unix_none.c - Unix calls that have one answer in the box: there is one user, no signal, no other
// process, no device.
#define BX_PORT_SELF
#include "common/port.h"

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#pragma clang diagnostic ignored "-Wunused-parameter"

enum { USER = 1000 };

static int refuse(void) {
    errno = ENOSYS;
    return -1;
}

// --- processes and signals
// clang-format off
pid_t fork(void) { return refuse(); }
#undef vfork
pid_t vfork(void) { return refuse(); }
int pipe(int *ends) { return refuse(); }
int kill(pid_t pid, int sig) { return pid == 4242 ? 0 : refuse(); }
pid_t getppid(void) { return 1; }
pid_t setsid(void) { return 1; }
pid_t getsid(pid_t pid) { return 1; }
pid_t getpgrp(void) { return 1; }
pid_t getpgid(pid_t pid) { return 1; }
int setpgid(pid_t pid, pid_t group) { return 0; }
int nice(int n) { return 0; }
int sigaction(int n, const struct sigaction *action, struct sigaction *old) { if (old) memset(old, 0, sizeof *old); return 0; }
int sigprocmask(int how, const sigset_t *set, sigset_t *old) { return 0; }
int sigemptyset(sigset_t *set) { memset(set, 0, sizeof *set); return 0; }
int sigfillset(sigset_t *set) { memset(set, 255, sizeof *set); return 0; }
int sigaddset(sigset_t *set, int n) { return 0; }
unsigned alarm(unsigned seconds) { return 0; }
int getrlimit(int what, struct rlimit *l) { l->rlim_cur = l->rlim_max = RLIM_INFINITY; return 0; }
int setrlimit(int what, const struct rlimit *l) { return 0; }
int prlimit(pid_t pid, int what, const struct rlimit *set, struct rlimit *get) { return get ? getrlimit(what, get) : 0; }
int getpriority(int which, unsigned who) { return 0; }
int setpriority(int which, unsigned who, int priority) { return 0; }

// --- devices, special files
int mknod(const char *path, mode_t mode, dev_t device) { return refuse(); }
int mknodat(int at, const char *path, mode_t mode, dev_t device) { return refuse(); }
int mkfifo(const char *path, mode_t mode) { return refuse(); }
int chroot(const char *path) { return refuse(); }
int fallocate(int fd, int mode, off_t at, off_t len) { return refuse(); }
void sync(void) {}
int syncfs(int fd) { return 0; }
char *ttyname(int fd) { refuse(); return NULL; }
int ttyname_r(int fd, char *name, size_t n) { return ENOTTY; }
int tcgetattr(int fd, void *t) { errno = ENOTTY; return -1; }
int tcsetattr(int fd, int when, const void *t) { errno = ENOTTY; return -1; }

// --- users
uid_t getuid(void) { return USER; }
uid_t geteuid(void) { return USER; }
gid_t getgid(void) { return USER; }
gid_t getegid(void) { return USER; }
int setuid(uid_t user) { return 0; }
int setgid(gid_t group) { return 0; }
int seteuid(uid_t user) { return 0; }
int setegid(gid_t group) { return 0; }
int setgroups(size_t n, const gid_t *groups) { return 0; }
int initgroups(const char *name, gid_t group) { return 0; }
int getgroups(int n, gid_t *groups) { if (n > 0) *groups = USER; return 1; }
// clang-format on

static char *members[] = {NULL};
static struct passwd user = {.pw_name = "user",
                             .pw_passwd = "x",
                             .pw_uid = USER,
                             .pw_gid = USER,
                             .pw_gecos = "",
                             .pw_dir = "/",
                             .pw_shell = "/bin/sh"};
static struct group group_of_user = {
    .gr_name = "user", .gr_passwd = "x", .gr_gid = USER, .gr_mem = members};

struct passwd *getpwuid(uid_t id) {
    return id == USER ? &user : NULL;
}
struct passwd *getpwnam(const char *name) {
    return strcmp(name, "user") ? NULL : &user;
}
int getpwuid_r(uid_t id, struct passwd *to, char *b, size_t n, struct passwd **ret) {
    *ret = id == USER ? to : NULL;
    *to = user;
    return 0;
}
int getpwnam_r(const char *name, struct passwd *to, char *b, size_t n, struct passwd **ret) {
    return getpwuid_r(strcmp(name, "user") ? 0 : USER, to, b, n, ret);
}
struct group *getgrgid(gid_t id) {
    return id == USER ? &group_of_user : NULL;
}
struct group *getgrnam(const char *name) {
    return strcmp(name, "user") ? NULL : &group_of_user;
}
int getgrgid_r(gid_t id, struct group *to, char *b, size_t n, struct group **ret) {
    *ret = id == USER ? to : NULL;
    *to = group_of_user;
    return 0;
}
int getgrnam_r(const char *name, struct group *to, char *b, size_t n, struct group **ret) {
    return getgrgid_r(strcmp(name, "user") ? 0 : USER, to, b, n, ret);
}
int getgrouplist(const char *name, gid_t id, gid_t *list, int *n) {
    if (*n > 0) {
        *list = id;
    }
    *n = 1;
    return 1;
}
char *getlogin(void) {
    return (char *)"user";
}
int gethostname(char *name, size_t n) {
    strncpy(name, "sandbox", n);
    return 0;
}
int sethostname(const char *name, size_t n) {
    return refuse();
}

// --- time
long timezone;
int daylight;
char *tzname[2] = {(char *)"UTC", (char *)"UTC"};
void tzset(void) {
}
int settimeofday(const struct timeval *time, const struct timezone *zone) {
    return refuse();
}
int clock_settime(clockid_t clock, const struct timespec *time) {
    return refuse();
}

long bx_port_syscall(long n, ...) {
    enum { SCHED_GETAFFINITY = 204 };
    if (n != SCHED_GETAFFINITY) {
        return refuse();
    }
    va_list args;
    va_start(args, n);
    (void)va_arg(args, long);
    size_t size = (size_t)va_arg(args, long);
    char *mask = va_arg(args, char *);
    memset(mask, 0, size);
    *mask = 1; // one CPU
    va_end(args);
    return 8;
}
