#include "api/browser.h"

#include "base/file.h"
#include "base/log.h"
#include "base/path.h"
#include "loop/child.h"

static const char *opener(void) {
    static const char *const candidates[] = {"/usr/bin/xdg-open", "/usr/local/bin/xdg-open",
                                             "/usr/bin/open"};
    for (size_t i = 0; i < BX_ARRAY_LEN(candidates); i++) {
        if (access(candidates[i], X_OK) == 0)
            return candidates[i];
    }
    return NULL;
}

void bx_browser_open(struct bx_store *store, const char *url) {
    bx_auto(bx_freep) char *path = bx_path_join(bx_store_dir(store), "open.html");
    bx_auto(bx_buf_deinit) struct bx_buf page = BX_BUF_INIT(4 * BX_KIB);
    struct bx_err err = {0};
    const char *program = opener();
    extern char **environ;
    pid_t pid;
    bx_buf_addf(&page,
                "<!doctype html><meta http-equiv=\"refresh\" content=\"0;url=%s\"><a "
                "href=\"%s\">BoxAgnts</a>\n",
                url, url);
    const char *argv[] = {program, path, NULL};
    struct bx_child_spec spec = {.path = program,
                                 .argv = argv,
                                 .env = (const char *const *)environ,
                                 .stdin_fd = -1,
                                 .stdout_fd = -1,
                                 .stderr_fd = -1};
    if (!program)
        bx_warn("api", "there is no xdg-open here: open the address above yourself");
    else if (bx_file_write_atomic(path, bx_buf_str(&page), 0600, &err) < 0 ||
             bx_child_start(&spec, &pid, &err) < 0)
        bx_warn("api", "cannot show the page: %s", err.msg);
}
