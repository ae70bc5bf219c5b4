/* Certificates: a server with a self-made one is refused, unless SSL_CERT_FILE names it. The server
 * is the openssl program; each try is a child, because the store is read once a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/file.h"
#include "fetch/fetch.h"

static char dir[64], cert[80], key[80], url[80];
static pid_t server;

static uint16_t free_port(void) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof in;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    getsockname(fd, (struct sockaddr *)&in, &n);
    close(fd);
    return ntohs(in.sin_port);
}

static int program(const char *const *argv, bool wait) {
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)!freopen("/dev/null", "r", stdin);
        (void)!freopen("/dev/null", "w", stdout);
        (void)!freopen("/dev/null", "w", stderr);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = 0;
    if (!wait) {
        return pid;
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
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
    if (program(make, true) != 0) {
        return 0; // no openssl here
    }
    uint16_t port = free_port();
    char accept_at[40];
    snprintf(accept_at, sizeof accept_at, "127.0.0.1:%u", port);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", port);
    const char *serve[] = {"openssl", "s_server", "-accept", accept_at, "-cert", cert,
                           "-key",    key,        "-www",    "-quiet",  NULL};
    server = program(serve, false);
    return 0;
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
        int r = BX_ERR_UNAVAILABLE;
        setenv("SSL_CERT_FILE", store, 1);
        bx_fetch_new(NULL, &f, NULL);
        for (int i = 0; i < 2000 && r == BX_ERR_UNAVAILABLE; i++) { // until the server listens
            r = bx_fetch_perform(f, &(struct bx_fetch_request){.url = where}, NULL, &err);
            usleep(r == BX_ERR_UNAVAILABLE ? 5000 : 0);
            if (strstr(err.msg, "SSL_CERT_FILE")) {
                break;
            }
        }
        _exit(-r);
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
    assert_int_equal(program(make, true), 0);
    assert_int_equal(try_with(cert, url), 0);
    assert_int_equal(try_with(other, url), BX_ERR_PROTO);    // nobody vouches for it
    assert_int_equal(try_with(cert, by_name), BX_ERR_PROTO); // the certificate is for another name
    assert_int_equal(try_with("/nonexistent.pem", url), BX_ERR_UNAVAILABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(certificates)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
