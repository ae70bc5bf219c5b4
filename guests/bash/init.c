// A new shell: what it takes from its environment.
#ifdef BX_GUEST_NATIVE
#include <signal.h>
#endif
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bash/sh.h"

extern char **environ;

struct sh_io *sh_io_std(int32_t number) {
    struct sh_io *io = sh_io_new(SH_IO_STD);
    io->number = number;
    return io;
}

static char *copy(const char *text) {
    return bx_strndup(text, strlen(text));
}

static void set_default(struct sh *sh, const char *name, const char *value, unsigned flags) {
    struct sh_var *var = sh_var_get_raw(sh, name);
    if (!var) {
        sh_set(sh, name, value);
        sh_var_make_raw(sh, name)->flags |= flags;
    }
}

static void import_environment(struct sh *sh) {
    for (char **env = environ; *env; env++) {
        size_t n = strcspn(*env, "=");
        char *name = bx_strndup(*env, n);
        if ((*env)[n] && sh_is_name(name, n) && strncmp(name, "BX_", 3) != 0) {
            sh_set(sh, name, *env + n + 1);
            sh_var_make_raw(sh, name)->flags |= SH_EXPORT;
        }
        free(name);
    }
    sh_bars_init(getenv("BX_BARS"));
    if (getenv("BX_PROGRAMS")) {
        sh->programs = copy(getenv("BX_PROGRAMS"));
    }
}

static void set_variables(struct sh *sh) {
    static const char *const version[] = {"5", "2", "15", "1", "release", "wasm32-unknown-wasi"};
    sh_set(sh, "IFS", " \t\n");
    sh_set(sh, "OPTIND", "1");
    sh_set(sh, "PWD", sh->cwd);
    sh_var_make_raw(sh, "PWD")->flags |= SH_EXPORT;
    set_default(sh, "BASH_VERSION", "5.2.15(1)-release", 0);
    set_default(sh, "BASH", "/bin/bash", 0);
    set_default(sh, "PATH", "/usr/local/bin:/usr/bin:/bin", SH_EXPORT);
    set_default(sh, "HOSTNAME", "box", 0);
    set_default(sh, "HOSTTYPE", "wasm32", 0);
    set_default(sh, "OSTYPE", "linux-gnu", 0);
    set_default(sh, "MACHTYPE", "wasm32-unknown-wasi", 0);
    set_default(sh, "SHELL", "/bin/bash", 0);
    set_default(sh, "PS4", "+ ", 0);
    set_default(sh, "UID", "1000", SH_INTEGER);
    set_default(sh, "EUID", "1000", SH_INTEGER);
    set_default(sh, "PPID", "1", SH_INTEGER);
    set_default(sh, "SHLVL", "1", SH_EXPORT);
    sh_set_array(sh, "BASH_VERSINFO", version, 6);
}

void sh_init(struct sh *sh) {
    const char *dir = getenv("PWD");
    char *real = NULL;
    *sh = (struct sh){.name = "bash",
                      .last_substitution = -1,
                      .umask = 022,
                      .pid = 1000 + (int)(sh_now_ms() % 30000)};
    sh->vars = bx_alloc(sizeof *sh->vars);
    sh->functions = bx_alloc(sizeof *sh->functions);
    *sh->vars = *sh->functions = (struct sh_table){{NULL}};
    sh->args = bx_alloc(sizeof *sh->args);
    sh->args[0] = NULL;
    sh->arg0 = copy("bash");
    sh->start_ms = sh_now_ms();
    sh->random = (unsigned)sh->start_ms * 2654435761U;
    for (int fd = 0; fd < 3; fd++) {
        sh->fds[fd] = sh_io_std(fd);
    }
#ifdef BX_GUEST_NATIVE
    real = getcwd(NULL, 0);
    sh->pid = getpid();
    signal(SIGPIPE, SIG_IGN);
#endif
    sh->cwd = copy(dir && dir[0] == '/' ? dir : real ? real : "/");
    free(real);
    import_environment(sh);
    set_variables(sh);
}
