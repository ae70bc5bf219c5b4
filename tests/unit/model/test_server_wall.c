/* The model server's walls, from inside: each try is a child that puts the walls up and then does
 * what it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/file.h"
#include "model/server_wall.h"

static char dir[64], model[80], sock_path[80], other[80];

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-wall-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(model, sizeof model, "%s/m.gguf", dir);
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(sock_path, sizeof sock_path, "%s/run/m.sock", dir);
    char run[80];
    snprintf(run, sizeof run, "%s/run", dir);
    assert_int_equal(bx_file_write_atomic(model, BX_STR_LIT("weights"), 0600, NULL), 0);
    assert_int_equal(bx_file_write_atomic(other, BX_STR_LIT("secret"), 0600, NULL), 0);
    return bx_dir_make(run, 0700, NULL);
}

static int teardown(void **state) {
    (void)state;
    return bx_dir_remove(dir, NULL);
}

/* What try returned behind the walls: 0 = it worked, else an errno. */
static int behind(int (*try)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        char run[80];
        bool files;
        snprintf(run, sizeof run, "%s/run", dir);
        if (bx_server_wall(model, run, &files, NULL) < 0) {
            _exit(255);
        }
        _exit(try());
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 255);
    return WEXITSTATUS(status);
}

static int result(long r) {
    return r < 0 ? errno : 0;
}

static int read_model(void) {
    char b[4];
    int fd = open(model, O_RDONLY);
    return fd < 0 ? errno : result(read(fd, b, sizeof b));
}

static int map_model(void) {
    int fd = open(model, O_RDONLY);
    return fd < 0                                                         ? errno
           : mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED ? errno
                                                                          : 0;
}

static int write_model(void) {
    return result(open(model, O_WRONLY));
}

static int read_other(void) {
    return result(open(other, O_RDONLY));
}

static int read_passwd(void) {
    return result(open("/etc/passwd", O_RDONLY));
}

static int make_file(void) {
    char path[100];
    snprintf(path, sizeof path, "%s/run/new", dir);
    return result(open(path, O_WRONLY | O_CREAT, 0600));
}

static int listen_unix(void) {
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, sock_path, strlen(sock_path));
    unlink(sock_path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof un) < 0) {
        return errno;
    }
    return result(listen(fd, 1));
}

static int connect_unix(void) {
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/nonexistent.sock"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return fd < 0 ? errno : result(connect(fd, (struct sockaddr *)&un, sizeof un));
}

static int inet4(void) {
    return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int inet6(void) {
    return result(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int netlink(void) {
    return result(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int exec(void) {
    execl("/bin/true", "true", (char *)NULL);
    return errno;
}

static int fork_child(void) {
    pid_t pid = fork();
    if (pid == 0) {
        _exit(0);
    }
    return result(pid);
}

static void *nothing(void *user) {
    return user;
}

static int thread(void) {
    pthread_t t;
    int r = pthread_create(&t, NULL, nothing, NULL);
    return r ? r : pthread_join(t, NULL);
}

static int trace(void) {
    return result(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int uring(void) {
    return result(syscall(SYS_io_uring_setup, 1, NULL));
}

static int kill_parent(void) {
    return result(syscall(SYS_kill, getppid(), 0));
}

static int core_limit(void) {
    struct rlimit l;
    getrlimit(RLIMIT_CORE, &l);
    return l.rlim_max == 0 ? 0 : EPERM;
}

static int give_away(void) {
    return result(fchown(open(model, O_RDONLY), 12345, 12345));
}

static void what_it_needs_works(void **state) {
    (void)state;
    assert_int_equal(behind(read_model), 0);
    assert_int_equal(behind(map_model), 0);
    assert_int_equal(behind(listen_unix), 0);
    assert_int_equal(behind(thread), 0);
    assert_int_equal(behind(core_limit), 0);
}

static void calls(void **state) {
    (void)state;
    assert_int_equal(behind(inet4), EACCES);
    assert_int_equal(behind(inet6), EACCES);
    assert_int_equal(behind(netlink), EACCES);
    assert_int_equal(behind(connect_unix), EPERM);
    assert_int_equal(behind(exec), EPERM);
    assert_int_equal(behind(fork_child), EPERM);
    assert_int_equal(behind(trace), EPERM);
    assert_int_equal(behind(uring), EPERM);
    assert_int_equal(behind(kill_parent), EPERM);
}

static void files(void **state) {
    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1) {
        skip(); // this kernel has no Landlock, and the server says so
    }
    assert_int_equal(behind(read_other), EACCES);
    assert_int_equal(behind(read_passwd), EACCES);
    assert_int_equal(behind(write_model), EACCES);
    assert_int_equal(behind(make_file), EACCES);
}

static void powers(void **state) {
    (void)state;
    if (geteuid() != 0) {
        skip(); // there is nothing to drop
    }
    assert_int_equal(behind(give_away), EPERM);
#ifdef BX_UNWIRE
    setenv("BX_UNWIRE", "model_powers", 1);
    assert_int_equal(behind(give_away), 0);
    unsetenv("BX_UNWIRE");
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_needs_works),
        cmocka_unit_test(powers),
        cmocka_unit_test(calls),
        cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
