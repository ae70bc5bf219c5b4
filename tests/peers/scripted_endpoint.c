/* scripted_endpoint SCRIPT.json [--unix PATH | --port N]: the scripted model server (scripted.h) as
 * a program. Prints "listening PORT" (or the path) when it is ready; ends with its parent or on
 * SIGTERM. */
#include <signal.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "peers/scripted.h"

int main(int argc, char **argv) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    const char *script = NULL, *unix_path = NULL;
    uint64_t port = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--unix") == 0 && i + 1 < argc) {
            unix_path = argv[++i];
        } else if (strcmp(argv[i], "--port") == 0 && i + 1 < argc &&
                   bx_str_to_u64(bx_str(argv[i + 1]), &port)) {
            i++;
        } else {
            script = argv[i];
        }
    }
    if (!script || port > 65535) {
        fprintf(stderr, "usage: %s SCRIPT.json [--unix PATH | --port N]\n", argv[0]);
        return 2;
    }
    struct bx_err err;
    struct bx_buf text = BX_BUF_INIT(16 * BX_MIB);
    struct scripted *s = NULL;
    if (bx_file_read(script, &text, &err) < 0 ||
        scripted_new(bx_buf_z(&text), unix_path, (uint16_t)port, &s, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    if (unix_path) {
        printf("listening %s\n", unix_path);
    } else {
        printf("listening %u\n", scripted_port(s));
    }
    fflush(stdout);
    scripted_serve(s);
    scripted_free(s);
    bx_buf_deinit(&text);
    return 0;
}
