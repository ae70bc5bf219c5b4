/* doctor: tries what the product needs, on this machine, now. Each row is something that was done,
 * not something assumed. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "json/write.h"

enum state { OK, WARN, BAD };
struct row {
    const char *name;
    enum state state;
    char text[300];
};
struct report {
    BX_VEC(struct row) rows;
};

static void add(struct report *r, const char *name, enum state state, const char *fmt, ...)
    BX_PRINTF(4, 5);
static void add(struct report *r, const char *name, enum state state, const char *fmt, ...) {
    struct row row = {.name = name, .state = state};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(row.text, sizeof row.text, fmt, ap);
    va_end(ap);
    bx_vec_push(&r->rows, row);
}

static void check_walls(struct report *r, struct bx_cli_context *c) {
    struct bx_mount root = {.host_path = c->workspace.root, .guest_path = "/", .writable = true};
    struct bx_grant grant;
    struct bx_box_walls walls;
    struct bx_err err;
    bx_grant_init(&grant);
    grant.mounts = &root;
    grant.mount_count = 1;
    if (bx_box_probe(c->box, &grant, &walls, &err) < 0) {
        add(r, "sandbox", BAD, "a worker could not be started: %s", err.msg);
        return;
    }
    add(r, "sandbox", OK, "a worker starts and answers");
    if (walls.missing[0]) {
        add(r, "second wall", WARN, "%s", walls.missing);
    } else {
        add(r, "second wall", OK, "up, tried from inside a worker (Landlock ABI %u)",
            walls.landlock_abi);
    }
}

static void check_call(struct report *r, struct bx_cli_context *c) {
    struct bx_tool *tool = bx_registry_find(c->registry, "glob");
    struct bx_tool_result result = {0};
    bx_auto(bx_doc_freep) struct bx_doc *input = NULL;
    struct bx_err err = {0};
    int code = bx_doc_parse(bx_str("{\"pattern\":\"*\"}"), NULL, &input, &err);
    if (code == 0 && tool) {
        code = bx_agent_call_tool(c->agent, tool, bx_doc_root(input), NULL, NULL, &result, &err);
    }
    bool good = tool && code == 0 && !result.is_error;
    add(r, "a tool call", good ? OK : BAD, "%s",
        good         ? "glob listed the root inside the sandbox"
        : err.msg[0] ? err.msg
                     : "glob failed");
    bx_tool_result_deinit(&result);
    bx_tool_unref(tool);
}

static void check_models(struct report *r, struct bx_cli_context *c) {
    struct bx_model_infos infos;
    bx_models_list(c->models, &infos);
    size_t ready = 0;
    struct bx_buf names = BX_BUF_INIT(200);
    for (size_t i = 0; i < infos.n; i++) {
        if (infos.items[i].available && strcmp(infos.items[i].id, "embedded/tour") != 0) {
            ready++;
            if (ready <= 3) {
                bx_buf_addf(&names, "%s%s", ready > 1 ? ", " : "", infos.items[i].id);
            }
        }
    }
    if (ready) {
        add(r, "models", OK, "%zu ready: %s%s", ready, bx_buf_z(&names), ready > 3 ? " …" : "");
    } else {
        add(r, "models", WARN,
            "only the scripted tour; boxagnts model pull smollm2, set a provider's key, or name an "
            "endpoint in settings");
    }
    bx_buf_deinit(&names);
    bx_model_infos_deinit(&infos);
#ifdef __x86_64__
    __builtin_cpu_init();
    add(r, "processor", __builtin_cpu_supports("avx2") ? OK : WARN, "%s",
        __builtin_cpu_supports("avx2")
            ? "has AVX2: embedded models run"
            : "has no AVX2: embedded models cannot run, everything else can");
#endif
}

static void check_state(struct report *r, struct bx_cli_context *c) {
    bx_auto(bx_freep) char *secrets = bx_path_join(c->workspace.state, "auth.json");
    struct stat st;
    if (stat(c->workspace.state, &st) < 0) {
        add(r, "state", BAD, "%s cannot be read", c->workspace.state);
    } else if (st.st_mode & 077) {
        add(r, "state", BAD, "%s can be read by others: chmod 700 it", c->workspace.state);
    } else {
        add(r, "state", OK, "%s, for you alone", c->workspace.state);
    }
    if (stat(secrets, &st) == 0 && st.st_mode & 077) {
        add(r, "secrets", BAD, "%s can be read by others: chmod 600 it", secrets);
    }
    add(r, "root", access(c->workspace.root, W_OK) == 0 ? OK : WARN, "%s%s", c->workspace.root,
        access(c->workspace.root, W_OK) == 0
            ? ""
            : " cannot be written by this user: tools can only read");
}

/* git is run once, behind its wall; what it says of itself is the proof that the wall lets it work.
 */
static void check_git(struct report *r, struct bx_cli_context *c) {
    const char *path, *version;
    struct bx_err err = {0};
    struct bx_worktrees *trees = bx_agent_worktrees(c->agent);
    if (bx_worktrees_git(trees, &path, &version, &err) < 0) {
        add(r, "git", WARN, "%s; executors cannot have worktrees", err.msg);
        return;
    }
    add(r, "git", OK, "%s (%s) runs behind its wall: no network, no other program", version, path);
    if (bx_worktrees_check(trees, &err) < 0)
        add(r, "worktrees", OK, "not for this root: %s", err.msg);
    else
        add(r, "worktrees", OK, "the root is a repository that they can begin from");
}

static void check_certificates(struct report *r) {
    static const char *const known[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
                                        "/etc/ssl/ca-bundle.pem"};
    const char *named = getenv("SSL_CERT_FILE");
    const char *found = named && access(named, R_OK) == 0 ? named : NULL;
    for (size_t i = 0; i < BX_ARRAY_LEN(known) && !found; i++) {
        found = access(known[i], R_OK) == 0 ? known[i] : NULL;
    }
    add(r, "certificates", found ? OK : WARN, "%s",
        found ? found
              : "none found: cloud models cannot be reached; install ca-certificates or set "
                "SSL_CERT_FILE");
}

static void check_port(struct report *r, uint64_t port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    bool is_free = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    add(r, "port", is_free ? OK : WARN, "%" PRIu64 " is %s", port,
        is_free ? "free" : "taken: another server runs, or choose one with --port");
    bx_fd_close(&fd);
}

static int print(const struct report *r, bool json) {
    static const char *const words[] = {"ok", "warn", "bad"};
    struct bx_buf out = BX_BUF_INIT(64 * BX_KIB);
    struct bx_jw w;
    bool bad = false;
    bx_jw_init(&w, &out);
    if (json) {
        bx_jw_arr(&w);
    }
    for (size_t i = 0; i < r->rows.n; i++) {
        const struct row *row = &r->rows.p[i];
        bad = bad || row->state == BAD;
        if (json) {
            bx_jw_obj(&w);
            bx_jw_kstr(&w, "name", row->name);
            bx_jw_kstr(&w, "state", words[row->state]);
            bx_jw_kstr(&w, "text", row->text);
            bx_jw_end(&w);
        } else {
            bx_buf_addf(&out, "%-5s %-13s %s\n", words[row->state], row->name, row->text);
        }
    }
    if (json) {
        bx_jw_end(&w);
        bx_buf_addc(&out, '\n');
    }
    int code = bx_cli_print(&out);
    return bad ? BX_EXIT_FAILED : code;
}

static void check_all(struct report *r, struct bx_cli_context *c) {
    check_walls(r, c);
    check_call(r, c);
    check_models(r, c);
    check_state(r, c);
    check_git(r, c);
    check_certificates(r);
}

int bx_doctor_markdown(struct bx_cli_context *c, struct bx_buf *out, struct bx_err *err) {
    static const char *const words[] = {"ok", "warning", "**bad**"};
    struct report report = {0};
    (void)err;
    check_all(&report, c);
    for (size_t i = 0; i < report.rows.n; i++)
        bx_buf_addf(out, "- %s: %s. %s\n", words[report.rows.p[i].state], report.rows.p[i].name,
                    report.rows.p[i].text);
    bx_vec_free(&report.rows);
    return 0;
}

int bx_cmd_doctor(const struct bx_args *args) {
    struct bx_err err;
    uint64_t port;
    struct bx_cli_context c;
    if (bx_args_number(args, "port", 1, 65535, 30001, &port, &err) < 0) {
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    int r = bx_cli_context_open(
        args, NULL, &(struct bx_context_options){.store_mode = BX_STORE_READER, .models = true}, &c,
        &err);
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct report report = {0};
    check_all(&report, &c);
    check_port(&report, port);
    int code = print(&report, bx_args_has(args, "json"));
    bx_vec_free(&report.rows);
    bx_cli_context_close(&c);
    return code;
}
