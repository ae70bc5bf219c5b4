/* mcp list, add, remove, test, approve, login, logout */
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "cli/show.h"
#include "json/write.h"

#define TEST_MS  60000
#define LOGIN_MS 300000

static int open_context(const struct bx_args *args, enum bx_store_mode mode,
                        struct bx_cli_context *ret, struct bx_err *err) {
    return bx_cli_context_open(args, NULL, &(struct bx_context_options){.store_mode = mode}, ret,
                               err);
}

/* ---- list ---- */

/* On one line, and nothing steers the terminal: whoever made the folder wrote its .mcp.json. The
 * caller's. */
static char *plain(const struct bx_val *of, const char *key) {
    struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
    bx_show_add_safe(&out, bx_val_get_str(of, key), true);
    char *text = bx_strdup(bx_buf_z(&out));
    bx_buf_deinit(&out);
    return text;
}

/* A stranger's words: none of their lines looks like one of ours, which say what to approve. */
static void show_words(const char *label, struct bx_str words, struct bx_buf *out) {
    struct bx_str line;
    bx_buf_addf(out, "      %s", label);
    for (bool first = true; bx_str_split(&words, '\n', &line); first = false) {
        bx_buf_addz(out, first ? "" : "                | ");
        bx_show_add_safe(out, line, true);
        bx_buf_addc(out, '\n');
    }
}

static void show_texts(const struct bx_val *tool, struct bx_buf *out) {
    struct bx_str before = bx_val_get_str(bx_val_get(tool, "approved"), "description"),
                  now = bx_val_get_str(bx_val_get(tool, "now"), "description");
    if (before.p)
        show_words("approved: ", before, out);
    if (now.p)
        show_words("now:      ", now, out);
    bx_auto(bx_freep) char *name = plain(tool, "name");
    bx_buf_addf(out, "      digest:   %s (of %s)\n", bx_val_get_z(tool, "digest"), name);
    bx_buf_addz(out, "      (--json shows the schemas too)\n");
}

/* All of it on one line: its environment may matter more than its command. */
static void show_entry(const struct bx_val *entry, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_jw_val(&w, entry);
    bx_buf_addc(out, '\n');
}

static void show_server(const struct bx_val *s, struct bx_buf *out) {
    bool waits = false;
    bx_auto(bx_freep) char *name = plain(s, "name"), *what = plain(s, "what"),
                           *error = plain(s, "error");
    bx_buf_addf(out, "%-16s %-11s %-6s %s\n", name, bx_val_get_z(s, "state"),
                bx_val_get_z(s, "transport"), what);
    if (*error)
        bx_buf_addf(out, "    %s\n", error);
    if (bx_str_eqz(bx_val_get_str(s, "state"), "unapproved")) {
        bx_buf_addz(out, "    ");
        show_entry(bx_val_get(s, "entry"), out);
        bx_buf_addf(out,
                    "    comes with the folder (.mcp.json): boxagnts mcp approve %s --digest %s\n",
                    name, bx_val_get_z(s, "digest"));
    }
    bx_val_foreach_item (bx_val_get(s, "tools"), tool) {
        struct bx_str state = bx_val_get_str(tool, "state");
        bool ok = bx_str_eqz(state, "ok");
        bx_auto(bx_freep) char *own = plain(tool, "tool");
        bx_buf_addf(out, "    %s%s%s\n", own, ok ? "" : "  ",
                    ok ? "" : bx_val_get_z(tool, "state"));
        if (!ok && !bx_str_eqz(state, "gone")) {
            show_texts(tool, out);
            waits = true;
        }
    }
    if (waits)
        bx_buf_addf(out,
                    "    one of them: boxagnts mcp approve %s TOOL --digest DIGEST\n"
                    "    all of them: boxagnts mcp approve %s --digest %s\n",
                    name, name, bx_val_get_z(s, "digest"));
}

static int list_json(struct bx_cli_context *c, struct bx_buf *out) {
    struct bx_jw w;
    bx_jw_init(&w, out);
    bx_mcp_write(c->mcp, &w);
    return bx_buf_failed(out) ? BX_ERR_LIMIT : 0;
}

int bx_cmd_mcp_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_buf json = BX_BUF_INIT(64 * BX_MIB), out = BX_BUF_INIT(64 * BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (open_context(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    bx_mcp_learn(c.mcp, TEST_MS, NULL);
    int r = list_json(&c, &json);
    bx_cli_context_close(&c);
    if (r == 0) {
        r = bx_doc_parse(bx_buf_str(&json), NULL, &doc, &err);
    }
    if (r == 0 && bx_args_has(args, "json")) {
        bx_buf_adds(&out, bx_buf_str(&json));
        bx_buf_addc(&out, '\n');
    } else if (r == 0) {
        bx_val_foreach_item (bx_doc_root(doc), server) {
            show_server(server, &out);
        }
        if (!bx_val_len(bx_doc_root(doc))) {
            bx_buf_addz(&out, "No MCP server is configured: boxagnts mcp add NAME COMMAND|URL\n");
        }
    }
    bx_buf_deinit(&json);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : bx_cli_print(&out);
}

/* ---- add, remove ---- */

/* NAME {JSON}, NAME URL, or NAME COMMAND ARG… */
static void write_entry(const struct bx_args *args, struct bx_jw *w) {
    const char *what = args->operands.p[1];
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (what[0] == '{' && bx_doc_parse(bx_str(what), NULL, &doc, NULL) == 0) {
        bx_jw_val(w, bx_doc_root(doc));
        return;
    }
    bx_jw_obj(w);
    if (bx_str_starts(bx_str(what), "http://") || bx_str_starts(bx_str(what), "https://")) {
        bx_jw_kstr(w, "url", what);
    } else {
        bx_jw_kstr(w, "command", what);
        bx_jw_karr(w, "args");
        for (size_t i = 2; i < args->operands.n; i++) {
            bx_jw_z(w, args->operands.p[i]);
        }
        bx_jw_end(w);
    }
    bx_jw_end(w);
}

static int change_settings(const struct bx_args *args, const struct bx_val *entry,
                           struct bx_err *err) {
    struct bx_cli_context c;
    int r = bx_cli_store_open(args, BX_STORE_OWNER, &c, err);
    if (r < 0) {
        return r;
    }
    r = bx_settings_change(c.store, bx_mcp_change_entry,
                           &(struct bx_mcp_entry_change){args->operands.p[0], entry}, err);
    bx_cli_context_close(&c);
    return r;
}

int bx_cmd_mcp_add(const struct bx_args *args) {
    struct bx_err err;
    struct bx_buf text = BX_BUF_INIT(BX_MIB);
    bx_auto(bx_doc_freep) struct bx_doc *entry = NULL;
    struct bx_jw w;
    bx_jw_init(&w, &text);
    write_entry(args, &w);
    int r = bx_doc_parse(bx_buf_str(&text), NULL, &entry, &err);
    bx_buf_deinit(&text);
    if (r == 0) {
        r = bx_mcp_check_entry(args->operands.p[0], bx_doc_root(entry), &err);
    }
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    r = change_settings(args, bx_doc_root(entry), &err);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_mcp_remove(const struct bx_args *args) {
    struct bx_err err;
    int r = change_settings(args, NULL, &err);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

/* ---- test, approve, logout ---- */

int bx_cmd_mcp_test(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    struct bx_buf out = BX_BUF_INIT(64 * BX_MIB), json = BX_BUF_INIT(64 * BX_MIB);
    if (open_context(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int r = bx_mcp_test(c.mcp, args->operands.p[0], TEST_MS, NULL, &err);
    bx_auto(bx_doc_freep) struct bx_doc *doc = NULL;
    if (list_json(&c, &json) == 0 && bx_doc_parse(bx_buf_str(&json), NULL, &doc, NULL) == 0) {
        bx_val_foreach_item (bx_doc_root(doc), server) {
            if (bx_str_eqz(bx_val_get_str(server, "name"), args->operands.p[0])) {
                show_server(server, &out);
                if (r < 0 && bx_val_get_str(server, "stderr").n)
                    bx_buf_addf(&out, "    it wrote:\n%s\n", bx_val_get_z(server, "stderr"));
            }
        }
    }
    bx_buf_deinit(&json);
    bx_cli_context_close(&c);
    int code = bx_cli_print(&out);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : code;
}

int bx_cmd_mcp_approve(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    const char *digest = bx_args_get(args, "digest");
    if (!digest) {
        bx_fail(&err, BX_ERR_INVALID,
                "name what you looked at with --digest: boxagnts mcp list shows it");
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    if (open_context(args, BX_STORE_OWNER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int r = bx_mcp_approve(c.mcp, args->operands.p[0],
                           args->operands.n > 1 ? args->operands.p[1] : NULL, digest, &err);
    if (r == 0) {
        bx_mcp_learn(c.mcp, TEST_MS, NULL);
    }
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

int bx_cmd_mcp_logout(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    if (open_context(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int r = bx_mcp_logout(c.mcp, args->operands.p[0], &err);
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}

/* ---- login: a listener of our own for one answer ---- */

static int listen_here(int *ret_fd, uint16_t *ret_port, struct bx_err *err) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &n) < 0) {
        int e = errno;
        bx_fd_close(&fd);
        return bx_fail_errno(err, e, "cannot listen on 127.0.0.1");
    }
    *ret_fd = fd;
    *ret_port = ntohs(at.sin_port);
    return 0;
}

/* The value of a member of "GET /…?a=b&c=d HTTP/1.1", its percent signs undone. */
static char *query(const char *request, const char *name) {
    struct bx_str line = bx_str_n(request, strcspn(request, "\r\n")), part;
    size_t mark = bx_str_find(line, '?');
    struct bx_buf out = BX_BUF_INIT(8 * BX_KIB);
    if (mark == (size_t)-1) {
        return NULL;
    }
    struct bx_str rest = bx_str_slice(line, mark + 1, line.n);
    rest = bx_str_slice(rest, 0, bx_str_find(rest, ' '));
    while (bx_str_split(&rest, '&', &part)) {
        size_t eq = bx_str_find(part, '=');
        if (eq == (size_t)-1 || !bx_str_eqz(bx_str_slice(part, 0, eq), name)) {
            continue;
        }
        for (size_t i = eq + 1; i < part.n; i++) {
            unsigned byte = 0;
            char hex[3] = {0};
            if (part.p[i] == '%' && i + 2 < part.n + 0) {
                memcpy(hex, part.p + i + 1, 2);
                byte = (unsigned)strtoul(hex, NULL, 16);
                i += 2;
            }
            bx_buf_addc(&out, byte ? (char)byte : part.p[i] == '+' ? ' ' : part.p[i]);
        }
        return out.size ? bx_buf_steal(&out) : NULL;
    }
    return NULL;
}

/* One request at a time until the one with a state came; others (an icon) get nothing. */
static int await_answer(struct bx_cli_context *c, int listener, struct bx_err *err) {
    static const char page[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
        "<!doctype html><title>BoxAgnts</title><p>You can close this page and "
        "go back to the terminal.";
    uint64_t deadline_ms = bx_mono_ms() + LOGIN_MS;
    for (uint64_t now; (now = bx_mono_ms()) < deadline_ms;) {
        struct pollfd p = {.fd = listener, .events = POLLIN};
        if (poll(&p, 1, (int)(deadline_ms - now)) <= 0) {
            continue;
        }
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        char request[8192];
        p = (struct pollfd){.fd = fd, .events = POLLIN};
        ssize_t n = fd >= 0 && poll(&p, 1, 5000) > 0 ? read(fd, request, sizeof request - 1) : 0;
        request[n > 0 ? n : 0] = 0;
        bx_auto(bx_freep) char *state = query(request, "state"), *code = query(request, "code"),
                               *issuer = query(request, "iss");
        (void)bx_write_all(fd, page, sizeof page - 1);
        bx_fd_close(&fd);
        if (state) {
            return bx_mcp_login_finish(c->mcp, state, code, issuer, NULL, NULL, err);
        }
    }
    return bx_fail(err, BX_ERR_TIMEOUT, "nobody signed in within five minutes");
}

int bx_cmd_mcp_login(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    bx_auto(bx_freep) char *url = NULL;
    bx_auto(bx_fd_close) int listener = -1;
    uint16_t port = 0;
    if (open_context(args, BX_STORE_READER, &c, &err) < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    int r = listen_here(&listener, &port, &err);
    if (r == 0) {
        bx_auto(bx_freep) char *redirect = bx_asprintf("http://127.0.0.1:%u/callback", port);
        r = bx_mcp_login_begin(c.mcp, args->operands.p[0], redirect, NULL, &url, &err);
    }
    if (r == 0) {
        printf("Open this in your browser:\n%s\n", url);
        fflush(stdout);
        r = await_answer(&c, listener, &err);
    }
    bx_cli_context_close(&c);
    return r < 0 ? bx_cli_fail(BX_EXIT_FAILED, &err) : BX_EXIT_OK;
}
