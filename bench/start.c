/* bench-start PORT RUNS PROGRAM ARG…: from starting a server to its first 200, in microseconds, one
 * line a run.
 *
 * Tries to connect until it answers, with short pauses so that the two do not fight for a
 * processor. The path asked for is $BENCH_PATH, or /healthz. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"

#define GIVE_UP_MS 20000
#define PAUSE_NS   20000

static int answers(uint16_t port, const char *request) {
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bx_auto(bx_fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char reply[4096];
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
        bx_write_all(fd, request, strlen(request)) != 0) {
        return 0;
    }
    ssize_t n = read(fd, reply, sizeof reply);
    return n > 12 && memcmp(reply + 8, " 200", 4) == 0;
}

static pid_t start(char **argv) {
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int e = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (e != 0) {
        fprintf(stderr, "bench-start: %s cannot be started\n", argv[0]);
        exit(1);
    }
    return pid;
}

static void one_run(uint16_t port, const char *request, char **argv) {
    const struct timespec pause = {0, PAUSE_NS};
    uint64_t began = bx_mono_us();
    pid_t pid = start(argv);
    while (!answers(port, request)) {
        if (waitpid(pid, NULL, WNOHANG) == pid || bx_mono_us() - began > GIVE_UP_MS * 1000) {
            fprintf(stderr, "bench-start: %s ended or never answered\n", argv[0]);
            exit(1);
        }
        nanosleep(&pause, NULL);
    }
    printf("%" PRIu64 "\n", bx_mono_us() - began);
    fflush(stdout);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
}

int main(int argc, char **argv) {
    uint64_t port = 0, runs = 0;
    const char *path = getenv("BENCH_PATH");
    char request[256];
    if (argc < 4 || !bx_str_to_u64(bx_str(argv[1]), &port) || port > 65535 ||
        !bx_str_to_u64(bx_str(argv[2]), &runs)) {
        fprintf(stderr, "usage: %s PORT RUNS PROGRAM ARG...\n", argv[0]);
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    snprintf(request, sizeof request,
             "GET %.150s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n",
             path ? path : "/healthz", (unsigned)port);
    for (uint64_t i = 0; i < runs; i++) {
        one_run((uint16_t)port, request, argv + 3);
    }
    return 0;
}
