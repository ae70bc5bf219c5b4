/* The model server's main: walls, then llama.cpp's own server on a Unix socket.
 *     boxagnts --model-server MODEL SOCKET WINDOW THREADS
 * A file of its own, so that only a program that calls this needs llama.cpp to link. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/path.h"
#include "model/models.h"
#include "model/server_wall.h"

int llama_server(int argc, char **argv) __asm__(
    "_Z12llama_serveriPPc"); // tools/server/server.cpp; no header has it

extern char **environ;

/* Nothing from outside configures it. The parent gives a clean environment; this holds for a run by
 * hand too. */
static void scrub_environment(void) {
    static const char *const prefixes[] = {"LLAMA_", "GGML_", "HF_", "MODEL_ENDPOINT", "LD_"};
    for (char **e = environ; *e;) {
        bool drop = false;
        for (size_t i = 0; i < BX_ARRAY_LEN(prefixes); i++) {
            drop = drop || strncmp(*e, prefixes[i], strlen(prefixes[i])) == 0;
        }
        if (!drop) {
            e++;
            continue;
        }
        bx_auto(bx_freep) char *name = bx_strndup(*e, strcspn(*e, "="));
        unsetenv(name);
        e = environ;
    }
}

_Noreturn void bx_model_server_main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "this is started by boxagnts itself\n");
        exit(64);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, "boxagnts-model");
    umask(0077);
    scrub_environment();
    struct bx_err err;
    bool files;
    bx_auto(bx_freep) char *dir = bx_path_dir(argv[3]);
    if (bx_server_wall(argv[2], dir, &files, &err) < 0) {
        fprintf(stderr, "the walls do not stand: %s\n", err.msg);
        exit(70);
    }
    if (!files) {
        fprintf(stderr, "no Landlock in this kernel: the model server may read files\n");
    }
    char *args[] = {argv[0], "-m",      argv[2],     "--host",      argv[3],
                    "-c",    argv[4],   "-np",       "1",           "-t",
                    argv[5], "--jinja", "--offline", "--no-warmup", "--log-verbosity",
                    "1",     NULL};
    exit(llama_server((int)BX_ARRAY_LEN(args) - 1, args));
}
