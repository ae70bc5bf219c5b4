/*
 * The least program that is its own model server, for link.sh: started as `link MODEL SOCKET` it
 * runs itself again as the server child and ends with the child's status when it is told to stop.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* llama.cpp, tools/server/server.cpp; no header declares it and it has C++ linkage */
int llama_server(int argc, char **argv) __asm__("_Z12llama_serveriPPc");

static volatile sig_atomic_t child_pid;

static void pass_on(int signal_number) {
    kill((pid_t)child_pid, signal_number);
}

static int run_child(const char *model, const char *socket_path) {
    char *argv[] = {"model",   "-m",        (char *)model, "--host",      (char *)socket_path,
                    "--jinja", "--offline", "-c",          "8192",        "-np",
                    "1",       "-t",        "1",           "--no-warmup", NULL};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return llama_server((int)(sizeof argv / sizeof *argv) - 1, argv);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "--model-child") == 0) {
        return run_child(argv[2], argv[3]);
    }
    if (argc != 3) {
        fprintf(stderr, "usage: link MODEL.gguf SOCKET\n");
        return 2;
    }
    char *child_argv[] = {argv[0], "--model-child", argv[1], argv[2], NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execv("/proc/self/exe", child_argv);
        _exit(127);
    }
    child_pid = pid;
    signal(SIGTERM, pass_on);
    int status = 0;
    while (pid > 0 && waitpid(pid, &status, 0) < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
