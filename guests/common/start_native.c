// start_native.c - start.h for the test builds of this machine (common/process_native.c)
#include "common/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/process.h"

extern char **environ;

// There "sh" and "bash" are the program itself; here they are the machine's
static const char *program_of(const char *name) {
    return !strcmp(name, "sh") ? "/bin/sh" : !strcmp(name, "bash") ? "/bin/bash" : name;
}

int32_t bx_start_env(char *const *argv, char *const *env, int32_t in, int32_t out, int32_t err) {
    struct bxp_spawn spawn = {.env = (const char *const *)env, .in = in, .out = out, .err = err};
    while (argv[spawn.argc]) {
        spawn.argc++;
    }
    while (env[spawn.env_count]) {
        spawn.env_count++;
    }
    const char **words = calloc(spawn.argc + 1, sizeof *words);
    if (!words) {
        abort();
    }
    memcpy(words, argv, spawn.argc * sizeof *words);
    words[0] = program_of(argv[0]);
    spawn.argv = words;
    fflush(NULL);
    int32_t pid = bxp_spawn(&spawn);
    free(words);
    return pid;
}

int32_t bx_start(char *const *argv, int32_t in, int32_t out, int32_t err) {
    char *dir = getcwd(NULL, 0);
    if (dir) {
        setenv("PWD", dir, 1);
        free(dir);
    }
    return bx_start_env(argv, environ, in, out, err);
}
