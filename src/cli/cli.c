#include <signal.h>

#include "base/file.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/show.h"

int bx_cli_fail(int exit_code, const struct bx_err *err) {
    struct bx_buf text = BX_BUF_INIT(64 * BX_KIB);
    bx_show_add_safe(&text, bx_str(err->msg), true); /* it may name a file that a stranger made */
    fprintf(stderr, "boxagnts: %s\n", bx_buf_z(&text));
    bx_buf_deinit(&text);
    return exit_code;
}

int bx_cli_print(struct bx_buf *take_out) {
    int r = bx_write_all(STDOUT_FILENO, take_out->p, take_out->size);
    bx_buf_deinit(take_out);
    return r == 0 ? BX_EXIT_OK : BX_EXIT_FAILED;
}

int bx_cli_main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN); /* a reader that goes away is an error of the write */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that may not grow */
    bx_log_init();
    struct bx_args args;
    struct bx_err err = {0};
    int r = bx_args_parse(argc, argv, &args, &err);
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    int code;
    if (args.help) {
        struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
        bx_args_usage(&args, &out);
        code = bx_cli_print(&out);
    } else {
        code = args.command->run(&args);
    }
    bx_args_deinit(&args);
    return code;
}
