/* Certificates: a server with a self-made one is refused, unless SSL_CERT_FILE names it. The server
 * is the openssl program, which says where it listens; each try is a child, because the store is
 * read once a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/file.h"
#include "fetch/fetch.h"

static char dir[64], cert[80], key[80], url[80];
static pid_t server;

/* out: what it says is read from there; -1 for nowhere. */
static pid_t start(const char *const *argv, int out) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(out < 0 ? null : out, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    return pid;
}

static int run(const char *const *argv) {
    int status = 0;
    waitpid(start(argv, -1), &status, 0);
    return WEXITSTATUS(status);
}

/* A port that nobody else has; the end of the pipe stays open, for what it says later. */
static unsigned serve(void) {
    static FILE *said;
    const char *argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                          cert,      "-key",     key,       "-www",        NULL};
    char line[200];
    unsigned port = 0;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    server = start(argv, fds[1]);
    close(fds[1]);
    said = fdopen(fds[0], "r");
    while (!port && fgets(line, sizeof line, said)) {
        sscanf(line, "ACCEPT 127.0.0.1:%u", &port);
    }
    return port;
}

static int setup(void **state) {
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/bx-tls-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(cert, sizeof cert, "%s/cert.pem", dir);
    snprintf(key, sizeof key, "%s/key.pem", dir);
    const char *make[] = {"openssl",  "req",
                          "-x509",    "-newkey",
                          "rsa:2048", "-nodes",
                          "-keyout",  key,
                          "-out",     cert,
                          "-days",    "2",
                          "-subj",    "/CN=127.0.0.1",
                          "-addext",  "subjectAltName=IP:127.0.0.1",
                          NULL};
    if (run(make) != 0) {
        return 0; // no openssl here
    }
    unsigned port = serve();
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    return port ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    return bx_dir_remove(dir, NULL);
}

/* The (negated) code of one request in a child with that store. */
static int try_with(const char *store, const char *where) {
    pid_t pid = fork();
    if (pid == 0) {
        struct bx_fetch *f = NULL;
        struct bx_err err = {0};
        setenv("SSL_CERT_FILE", store, 1);
        bx_fetch_new(NULL, &f, NULL);
        _exit(-bx_fetch_perform(f, &(struct bx_fetch_request){.url = where}, NULL, &err));
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void certificates(void **state) {
    (void)state;
    if (!server) {
        skip();
    }
    char other[80], by_name[80];
    snprintf(other, sizeof other, "%s/other.pem", dir);
    snprintf(by_name, sizeof by_name, "https://localhost%s", strrchr(url, ':'));
    const char *make[] = {"openssl", "req",     "-x509", "-newkey",   "rsa:2048",
                          "-nodes",  "-keyout", key,     "-out",      other,
                          "-days",   "2",       "-subj", "/CN=other", NULL};
    assert_int_equal(run(make), 0);
    assert_int_equal(try_with(cert, url), 0);
    assert_int_equal(try_with(other, url), BX_ERR_PROTO);    // nobody vouches for it
    assert_int_equal(try_with(cert, by_name), BX_ERR_PROTO); // the certificate is for another name
    assert_int_equal(try_with("/nonexistent.pem", url), BX_ERR_UNAVAILABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(certificates)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
