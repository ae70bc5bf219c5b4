/* main.c: picks the kind of process. The binary re-executes itself with a hidden first argument for
 * a box worker and for the model server; everything else is the command line. */
#include "base/base.h"
#include "box/worker.h"
#include "cli/commands.h"
#include "model/models.h"

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], BX_BOX_WORKER_ARG) == 0) {
        return bx_box_worker_main();
    }
    if (argc > 1 && strcmp(argv[1], "--model-server") == 0) {
        bx_model_server_main(argc, argv);
    }
    return bx_cli_main(argc, argv);
}
