#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/thread.h"
#include "loop/child.h"

/* The child is this program again; its first argument says what it does there. */

static void put(int fd, const char *text) {
    (void)!write(fd, text, strlen(text));
}

/* Tells about itself on fd 1, one word a line. */
static int tell(int argc, char **argv) {
    char cwd[512];
    sigset_t mask;
    int death = 0;
    prctl(PR_GET_PDEATHSIG, &death);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    struct sigaction action;
    sigaction(SIGUSR1, NULL, &action);
    dprintf(1, "argc %d %s\n", argc, argv[2]);
    dprintf(1, "cwd %s\n", getcwd(cwd, sizeof cwd));
    dprintf(1, "env %s %s\n", getenv("BX_GIVEN") ? getenv("BX_GIVEN") : "-",
            getenv("HOME") ? "leaked" : "-");
    dprintf(1, "leader %d death %d\n", getsid(0) == getpid(), death);
    dprintf(1, "mask %d handler %d\n", sigismember(&mask, SIGTERM), action.sa_handler == SIG_DFL);
    DIR *dir = opendir("/proc/self/fd");
    int own = dirfd(dir);
    dprintf(1, "fds");
    for (int fd = 0; fd < 2000; fd++) {
        if (fd != own && fcntl(fd, F_GETFD) >= 0) {
            dprintf(1, " %d", fd);
        }
    }
    dprintf(1, "\n");
    closedir(dir);
    char text[100];
    for (int fd = 3; fd < 6; fd++) {
        ssize_t n = read(fd, text, sizeof text);
        dprintf(1, "%d %.*s\n", fd, (int)(n > 0 ? n : 0), text);
    }
    return 7;
}

static int helper(int argc, char **argv);

static int run_helper(const char *what, const char *argument, int out, const int *keep,
                      size_t keep_count, pid_t *ret_pid, struct bx_err *err) {
    const char *argv[] = {"test_child", what, argument, NULL};
    const char *env[] = {"BX_GIVEN=yes", NULL};
    struct bx_child_spec spec = {
        .path = "/proc/self/exe",
        .argv = argv,
        .env = env,
        .cwd = "/proc",
        .stdin_fd = -1,
        .stdout_fd = out,
        .stderr_fd = 2,
        .keep_fds = keep,
        .keep_fd_count = keep_count,
    };
    return bx_child_start(&spec, ret_pid, err);
}

static void read_all(int fd, struct bx_buf *out) {
    char *at;
    ssize_t n;
    while ((at = bx_buf_space(out, 1024)) && (n = read(fd, at, 1024)) > 0) {
        bx_buf_grew(out, (size_t)n);
    }
}

static int file_with(const char *text) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    put(fds[1], text);
    close(fds[1]);
    return fds[0];
}

static int wait_status(pid_t pid) {
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* The kept descriptors stand in an order that a naive row of dup2 would break. */
static void test_surroundings(void **state) {
    (void)state;
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    int leak = open("/dev/null", O_RDONLY); /* without CLOEXEC */
    int high = fcntl(leak, F_DUPFD, 1500);
    int a = file_with("first"), b = file_with("second"), c = file_with("third");
    /* 3, 4, 5 hold c, a, b; asked for is a, b, c */
    int saved[3], low[3] = {c, a, b};
    for (int i = 0; i < 3; i++) {
        saved[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 100);
    }
    int kept_old[3], out_high = fcntl(out[1], F_DUPFD_CLOEXEC, 110),
                     in_high = fcntl(out[0], F_DUPFD_CLOEXEC, 110);
    for (int i = 0; i < 3; i++) {
        kept_old[i] = fcntl(3 + i, F_DUPFD_CLOEXEC, 120); /* whatever stood there */
        dup2(saved[i], 3 + i);
    }
    int keep[] = {4, 5, 3};
    signal(SIGUSR1, SIG_IGN);
    setenv("HOME", "/x", 1);
    pid_t pid;
    struct bx_err err = {0};
    int r = run_helper("tell", "x y", out_high, keep, 3, &pid, &err);
    for (int i = 0; i < 3; i++) {
        if (kept_old[i] >= 0) {
            dup2(kept_old[i], 3 + i);
            close(kept_old[i]);
        } else {
            close(3 + i);
        }
        close(saved[i]);
    }
    close(out[1]);
    close(out_high);
    assert_string_equal(err.msg, "");
    assert_int_equal(r, 0);
    struct bx_buf text = BX_BUF_INIT(10000);
    read_all(in_high, &text);
    assert_string_equal(bx_buf_z(&text), "argc 3 x y\n"
                                         "cwd /proc\n"
                                         "env yes -\n"
                                         "leader 1 death 9\n"
                                         "mask 0 handler 1\n"
                                         "fds 0 1 2 3 4 5\n"
                                         "3 first\n4 second\n5 third\n");
    int status = wait_status(pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    bx_buf_deinit(&text);
    signal(SIGUSR1, SIG_DFL);
    close(in_high);
    close(out[0]);
    close(leak);
    close(high);
}

static void test_exec_fails(void **state) {
    (void)state;
    const char *argv[] = {"x", NULL};
    struct bx_child_spec spec = {
        .path = "/no/such/program", .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    struct bx_err err;
    pid_t pid = 77;
    assert_int_equal(bx_child_start(&spec, &pid, &err), BX_ERR_NOTFOUND);
    assert_non_null(strstr(err.msg, "/no/such/program: No such file"));
    spec.path = "/proc/self/status";
    assert_int_equal(bx_child_start(&spec, &pid, &err), BX_ERR_DENIED);
    spec.path = "/proc/self/exe";
    spec.cwd = "/no/such/folder";
    assert_int_equal(bx_child_start(&spec, &pid, &err), BX_ERR_NOTFOUND);
    int bad_fd = 1999;
    spec.cwd = NULL;
    spec.keep_fds = &bad_fd;
    spec.keep_fd_count = 1;
    assert_true(bx_child_start(&spec, &pid, &err) < 0);
    assert_int_equal(pid, 77);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left to reap */
    assert_int_equal(errno, ECHILD);
}

static void start_and_wait(const char *what, int fds[2], pid_t *pid) {
    char byte;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(run_helper(what, "", fds[1], NULL, 0, pid, NULL), 0);
    close(fds[1]);
    assert_int_equal(read(fds[0], &byte, 1), 1); /* it is up and has its handlers */
}

static void test_stop(void **state) {
    (void)state;
    int fds[2], status = 0;
    pid_t pid;
    start_and_wait("wait", fds, &pid);
    assert_false(bx_child_poll(pid, &status));
    assert_int_equal(bx_child_stop(pid, 60000, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    close(fds[0]);
    start_and_wait("stubborn", fds, &pid);
    assert_int_equal(bx_child_stop(pid, 1, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(fds[0]);
    start_and_wait("wait", fds, &pid);
    kill(pid, SIGKILL);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_true(bx_child_poll(pid, &status));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(waitpid(pid, NULL, WNOHANG), -1);
    close(fds[0]);
}

static int started_fds[2];
static pid_t started_pid;

static void *start_on_thread(void *user) {
    start_and_wait(user, started_fds, &started_pid);
    return NULL;
}

/* The thread that asked is gone, the child lives on. */
static void test_thread_ends(void **state) {
    (void)state;
    pthread_t thread;
    int status;
    char what[] = "wait";
    assert_int_equal(bx_thread_start(&thread, "asks", start_on_thread, what, NULL), 0);
    pthread_join(thread, NULL);
    /* Joined is not gone for the kernel yet; the signal of its death would come with the exit of
     * its task. */
    while (bx_file_exists("/proc/self/task") && access("/proc/thread-self", F_OK) == 0) {
        int tasks = 0;
        DIR *dir = opendir("/proc/self/task");
        for (struct dirent *e; (e = readdir(dir));) {
            char path[300], name[32] = "";
            snprintf(path, sizeof path, "/proc/self/task/%s/comm", e->d_name);
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            if (fd >= 0) {
                (void)!read(fd, name, sizeof name - 1);
                close(fd);
            }
            tasks += strcmp(name, "asks\n") == 0;
        }
        closedir(dir);
        if (!tasks) {
            break;
        }
        sched_yield();
    }
    assert_false(bx_child_poll(started_pid, &status));
    assert_int_equal(bx_child_stop(started_pid, 60000, &status), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    close(started_fds[0]);
}

/* A parent that dies without a word takes its child along: the pipe that only the grandchild holds
 * ends. */
static void test_parent_dies(void **state) {
    (void)state;
    int fds[2];
    pid_t pid;
    start_and_wait("parent", fds, &pid);
    kill(pid, SIGKILL);
    wait_status(pid);
    char byte;
    assert_int_equal(read(fds[0], &byte, 1), 0);
    close(fds[0]);
}

static void *start_ten(void *user) {
    (void)user;
    for (int i = 0; i < 10; i++) {
        pid_t pid;
        int status;
        assert_int_equal(run_helper("exit", "", -1, NULL, 0, &pid, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    }
    return NULL;
}

static void test_many_threads(void **state) {
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(bx_thread_start(&threads[i], "ten", start_ten, NULL, NULL), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
}

static int helper(int argc, char **argv) {
    const char *what = argv[1];
    if (strcmp(what, "tell") == 0) {
        return tell(argc, argv);
    }
    if (strcmp(what, "exit") == 0) {
        return 3;
    }
    if (strcmp(what, "stubborn") == 0) {
        signal(SIGTERM, SIG_IGN);
    }
    if (strcmp(what, "parent") == 0) {
        pid_t pid;
        if (run_helper("wait", "", 1, NULL, 0, &pid, NULL) < 0) {
            return 1;
        }
        close(1); /* its child says the byte and holds the pipe */
    } else {
        put(1, "x");
    }
    for (;;) {
        pause();
    }
}

int main(int argc, char **argv) {
    if (argc > 1) {
        return helper(argc, argv);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_surroundings), cmocka_unit_test(test_exec_fails),
        cmocka_unit_test(test_stop),         cmocka_unit_test(test_thread_ends),
        cmocka_unit_test(test_parent_dies),  cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
