/* main.c: picks the kind of process. The binary re-executes itself with a hidden first argument for
 * a box worker and for the model server; everything else is the command line. */
#include <malloc.h>

#include "base/base.h"
#include "box/worker.h"
#include "cli/commands.h"
#include "git/git.h"
#include "model/models.h"

/* Many threads that do a little each: an arena for every one of them, and thresholds that grow with
 * the largest request seen, would keep megabytes that nobody uses. */
static void keep_memory_small(void) {
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_TRIM_THRESHOLD, 128 << 10);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    if (argc > 1 && strcmp(argv[1], "--model-server") == 0) {
        bx_model_server_main(argc, argv);
    }
    if (argc > 1 && strcmp(argv[1], BX_GIT_CHILD_ARG) == 0) {
        return bx_git_child_main(argc, argv);
    }
    keep_memory_small();
    return bx_cli_main(argc, argv);
}
