/*
 * Force-included (-include) when Unix programs of others are compiled for the box: declares what wasi-libc's headers leave
 * out (processes, users, signals, dup, chmod …) and points a few calls at the wrappers of common/unix.c and
 * common/start.c. Nothing here is taken from the programs that are built with it.
 *
 * BX_PORT_SELF: the wrappers themselves are being compiled. BX_PORT_TOYBOX, BX_PORT_AWK: what these programs need besides.
 */
#ifndef BX_GUEST_PORT_H
#define BX_GUEST_PORT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#define _ALL_SOURCE 1

#ifdef BX_PORT_LINUX            /* toybox has an #error for systems it can't name */
#ifndef __linux__
#define __linux__ 1
#endif
#endif

#include <features.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>

/* setjmp: wasi-libc's header wants the exception-handling proposal. The tools
 * here only jump to give up early, so setjmp is 0 and longjmp ends the run. */
#define _SETJMP_H
typedef struct bx_port_jmp { int x; } jmp_buf[1], sigjmp_buf[1];
#define setjmp(b) ((void)(b), 0)
#define sigsetjmp(b, s) ((void)(b), 0)
#define longjmp(b, v) bx_port_longjmp(v)
#define siglongjmp(b, v) bx_port_longjmp(v)

/* signals: numbers come from the emulation header, the rest from here */
#include <sys/types.h>
typedef struct { int si_signo, si_errno, si_code, si_status; pid_t si_pid; } siginfo_t;
#include <signal.h>
typedef struct { unsigned long bx_port_bits[2]; } bx_port_sigset;
#define sigset_t bx_port_sigset
struct sigaction {
  union { void (*sa_handler)(int); void (*sa_sigaction)(int, siginfo_t *, void *); } bx_port_h;
  sigset_t sa_mask; int sa_flags; void (*sa_restorer)(void);
};
#define sa_handler bx_port_h.sa_handler
#define sa_sigaction bx_port_h.sa_sigaction
union sigval { int sival_int; void *sival_ptr; };
struct sigevent { union sigval sigev_value; int sigev_signo, sigev_notify; };
enum { FPE_INTDIV = 1, FPE_INTOVF, FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV, FPE_FLTSUB };
#define SA_RESTART 0x10000000
#define SA_NOCLDSTOP 1
#define SA_NODEFER 0x40000000
#define SA_SIGINFO 4
#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2
int sigaction(int, const struct sigaction *, struct sigaction *);
int sigprocmask(int, const sigset_t *, sigset_t *);
int sigemptyset(sigset_t *), sigfillset(sigset_t *), sigaddset(sigset_t *, int);
int kill(pid_t, int);

#include <sys/wait.h>
#include <sys/stat.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <poll.h>
#include <string.h>

struct itimerval { struct timeval it_interval, it_value; };
#ifndef ITIMER_REAL
#define ITIMER_REAL 0
#endif
struct bx_port_rusage { struct timeval ru_utime, ru_stime; long ru_maxrss, ru_minflt, ru_majflt, ru_inblock, ru_oublock, ru_nvcsw, ru_nivcsw; };
#define rusage bx_port_rusage
#define wait4 bx_port_wait4
pid_t wait4(pid_t, int *, int, struct rusage *);

/* processes */
pid_t bx_port_spawn(char **argv); /* runs it to its end; waitpid() tells how that was */
_Noreturn void bx_port_longjmp(int);
_Noreturn void bx_port_exit(int);
#ifdef BX_PORT_ARGV                          /* "if (!vfork()) exec(BX_PORT_ARGV)" in one step */
#define vfork() bx_port_spawn(BX_PORT_ARGV)
#else
pid_t vfork(void);
#endif
pid_t fork(void), getppid(void), setsid(void), getsid(pid_t), getpgrp(void), getpgid(pid_t);
int setpgid(pid_t, pid_t), nice(int);
int execvp(const char *, char *const *), execve(const char *, char *const *, char *const *);
int execv(const char *, char *const *), execl(const char *, const char *, ...), execlp(const char *, const char *, ...);
int pipe(int *), dup(int), dup2(int, int);
unsigned alarm(unsigned);
int system(const char *);
FILE *popen(const char *, const char *);
int pclose(FILE *);

/* users, owners, modes */
uid_t getuid(void), geteuid(void);
gid_t getgid(void), getegid(void);
int getgroups(int, gid_t *), setgroups(size_t, const gid_t *), initgroups(const char *, gid_t);
int setuid(uid_t), setgid(gid_t), seteuid(uid_t), setegid(gid_t);
int chown(const char *, uid_t, gid_t), lchown(const char *, uid_t, gid_t), fchown(int, uid_t, gid_t), fchownat(int, const char *, uid_t, gid_t, int);
mode_t umask(mode_t);
int mknod(const char *, mode_t, dev_t), mknodat(int, const char *, mode_t, dev_t), mkfifo(const char *, mode_t);
int chroot(const char *), fchdir(int);
char *ttyname(int);
int ttyname_r(int, char *, size_t);
char *getlogin(void);
int gethostname(char *, size_t), sethostname(const char *, size_t);
void sync(void);
int syncfs(int), settimeofday(const struct timeval *, const struct timezone *), clock_settime(clockid_t, const struct timespec *);
int fallocate(int, int, off_t, off_t);
long bx_port_syscall(long, ...);
#define syscall bx_port_syscall
int mkstemp(char *), mkostemp(char *, int), mkstemps(char *, int);
char *mkdtemp(char *), *mktemp(char *);
FILE *tmpfile(void);
void tzset(void);
extern char *tzname[2];
extern long timezone;
extern int daylight;
struct rlimit { unsigned long long rlim_cur, rlim_max; };
int getrlimit(int, struct rlimit *), setrlimit(int, const struct rlimit *), prlimit(pid_t, int, const struct rlimit *, struct rlimit *);
int getpriority(int, unsigned), setpriority(int, unsigned, int);
#ifndef RLIMIT_NOFILE
#define RLIMIT_CPU 0
#define RLIMIT_NOFILE 7
#define RLIMIT_STACK 3
#define RLIM_INFINITY (~0ULL)
#endif
#ifndef F_DUPFD
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#endif
#ifndef S_ISVTX
#define S_ISUID 04000
#define S_ISGID 02000
#define S_ISVTX 01000
#endif
#ifndef MAP_FAILED
#include <sys/mman.h>
#endif
#ifndef F_WRLCK
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#endif
#ifndef ENODATA
#define ENODATA 9961
#endif
#ifdef BX_PORT_TOYBOX
#include <sys/ioctl.h>
#define TIOCGWINSZ 0x5413
#define TIOCNOTTY 0x5422
#define _IOR(a, b, c) 0
#define __NR_sched_getaffinity 204
#define __NR_sched_setaffinity 203
#endif
#ifndef O_NOFOLLOW
#define O_NOFOLLOW 0
#endif

/* wrappers with the same shape as the call */
int bx_port_open(const char *, int, ...), bx_port_openat(int, const char *, int, ...), bx_port_close(int), bx_port_fcntl(int, int, ...);
int bx_port_stat(const char *, struct stat *), bx_port_lstat(const char *, struct stat *), bx_port_fstat(int, struct stat *), bx_port_fstatat(int, const char *, struct stat *, int);
int bx_port_chmod(const char *, mode_t), bx_port_fchmod(int, mode_t), bx_port_fchmodat(int, const char *, mode_t, int);
ssize_t bx_port_read(int, void *, size_t), bx_port_write(int, const void *, size_t);
void *bx_port_mmap(void *, size_t, int, int, int, off_t);
int bx_port_munmap(void *, size_t);
FILE *bx_port_fopen(const char *, const char *), *bx_port_fdopen(int, const char *);
#ifndef BX_PORT_SELF
#define open(...) bx_port_open(__VA_ARGS__)
#define openat(...) bx_port_openat(__VA_ARGS__)
#define close(f) bx_port_close(f)
#define fcntl(...) bx_port_fcntl(__VA_ARGS__)
#define fopen(p, m) bx_port_fopen(p, m)
#define fdopen(f, m) bx_port_fdopen(f, m)
#define stat(p, s) bx_port_stat(p, s)
#define lstat(p, s) bx_port_lstat(p, s)
#define fstat(f, s) bx_port_fstat(f, s)
#define fstatat(d, p, s, f) bx_port_fstatat(d, p, s, f)
#define chmod(p, m) bx_port_chmod(p, m)
#define fchmod(f, m) bx_port_fchmod(f, m)
#define fchmodat(d, p, m, f) bx_port_fchmodat(d, p, m, f)
#define mmap(a, l, p, f, d, o) bx_port_mmap(a, l, p, f, d, o)
#define munmap(a, l) bx_port_munmap(a, l)
#ifdef BX_PORT_TOYBOX
/* toybox writes stdout unbuffered, a host call for each printf or line: all of
 * it goes through one buffer; read() knows the files of /dev */
extern char bx_port_obuf[32768];
#define read(f, b, n) bx_port_read(f, b, n)
#define write(f, b, n) bx_port_write(f, b, n)
#define setvbuf(f, b, m, n) setvbuf(f, bx_port_obuf, _IOFBF, sizeof bx_port_obuf)
#endif
#define isatty(f) ((void)(f), 0)
#define main bx_program_main
#define exit(v) bx_port_exit_flush(v)
#define _exit(v) bx_port_exit(v)
#endif
_Noreturn void bx_port_exit_flush(int);
int bx_program_main(int, char **);

/* onetrueawk jumps out of expressions for "exit": the END action is run from
 * there instead. (In program(), which has the actions in a[].) */
#ifdef BX_PORT_AWK
struct Node;
extern struct Node *bx_port_end;
extern int bx_port_ends;
_Noreturn void bx_port_awk_exit(void);
#undef setjmp
#undef longjmp
#define setjmp(b) (bx_port_end = bx_port_ends++ ? 0 : a[2], 0)
#define longjmp(b, v) bx_port_awk_exit()
#endif

/* toybox: these functions of lib/ are replaced by those of programs/toybox.c, without touching the source: marked weak where they
 * are defined. */
#ifdef BX_PORT_TOYBOX
#ifndef BX_PORT_SELF
#pragma weak xpopen_setup
#pragma weak xexec
#pragma weak xabspath
#pragma weak xnotstdio
#pragma weak xgetrandom
#pragma weak _xexit
#endif
#endif
#endif
