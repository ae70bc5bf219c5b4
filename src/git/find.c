#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "git/git.h"

#define HEADERS_MAX 64

/* The program that the kernel starts to load this one, from its program headers; false: it is no
 * ELF program of this machine's width. *ret is the caller's, NULL: it needs none. */
static bool read_loader(const char *path, char **ret) {
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    Elf64_Ehdr head;
    Elf64_Phdr parts[HEADERS_MAX];
    char name[PATH_MAX];
    *ret = NULL;
    if (fd < 0 || pread(fd, &head, sizeof head, 0) != (ssize_t)sizeof head ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) || head.e_ident[EI_CLASS] != ELFCLASS64 ||
        head.e_phentsize != sizeof *parts || head.e_phnum > HEADERS_MAX)
        return false;
    ssize_t size = (ssize_t)(head.e_phnum * sizeof *parts);
    if (pread(fd, parts, (size_t)size, (off_t)head.e_phoff) != size)
        return false;
    for (size_t i = 0; i < head.e_phnum; i++) {
        size_t n = parts[i].p_filesz;
        if (parts[i].p_type != PT_INTERP || n < 2 || n > sizeof name)
            continue;
        if (pread(fd, name, n, (off_t)parts[i].p_offset) == (ssize_t)n && !name[n - 1])
            *ret = bx_strdup(name);
    }
    return true;
}

static bool is_below(const char *path, const char *const *folders) {
    for (; folders && *folders; folders++)
        if (bx_path_is_under(path, *folders))
            return true;
    return false;
}

/* PATH's entry as a program that may be used. *ret_why: why it is not, where it is there. */
static struct bx_git *look(struct bx_str dir, const char *const *not_below, const char **ret_why) {
    bx_auto(bx_freep) char *folder = bx_str_dup(dir);
    bx_auto(bx_freep) char *name = bx_path_join(folder, "git");
    bx_auto(bx_freep) char *path = bx_path_real(name, NULL);
    bx_auto(bx_freep) char *loader = NULL;
    struct stat st;
    if (folder[0] != '/' || !path || stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
        access(path, X_OK) < 0)
        return NULL;
    if (is_below(path, not_below)) {
        *ret_why = "it is a file of the project";
        return NULL;
    }
    if (!read_loader(path, &loader)) {
        *ret_why = "it is a script, which could start anything";
        return NULL;
    }
    struct bx_git *g = bx_new(struct bx_git);
    g->path = bx_steal(&path);
    g->loader = bx_steal(&loader);
    return g;
}

static bool at_least(const char *version, const char *wanted) {
    unsigned have[2] = {0}, want[2] = {0};
    sscanf(version, "%u.%u", &have[0], &have[1]);
    sscanf(wanted, "%u.%u", &want[0], &want[1]);
    return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

static int ask_version(struct bx_git *g, struct bx_err *err) {
    static const char *const argv[] = {"--version", NULL};
    struct bx_git_result result = {0};
    int rc = bx_git_run(&(struct bx_git_call){.git = g, .argv = argv, .timeout_ms = 10000}, &result,
                        err);
    if (!rc && sscanf(bx_buf_z(&result.out), "git version %23[0-9.]", g->version) != 1)
        rc = bx_fail(err, BX_ERR_UNAVAILABLE, "%.200s does not say its version: %s", g->path,
                     result.said);
    if (!rc && !at_least(g->version, BX_GIT_VERSION_MIN))
        rc = bx_fail(err, BX_ERR_UNAVAILABLE,
                     "git %s is too old for worktrees: install " BX_GIT_VERSION_MIN " or newer",
                     g->version);
    bx_git_result_deinit(&result);
    return rc;
}

int bx_git_find(const char *const *not_below, struct bx_git **ret, struct bx_err *err) {
    struct bx_str rest = bx_str(getenv("PATH")), dir;
    const char *why = NULL;
    bx_auto(bx_git_freep) struct bx_git *g = NULL;
    while (!g && bx_str_split(&rest, ':', &dir))
        g = look(dir, not_below, &why);
    if (!g)
        return bx_fail(err, BX_ERR_NOTFOUND,
                       "there is no git that can be used%s%s%s: install git, "
                       "which worktrees need",
                       why ? " (" : "", why ? why : "", why ? ")" : "");
    int rc = ask_version(g, err);
    if (!rc)
        *ret = bx_steal(&g);
    return rc;
}

void bx_git_free(struct bx_git *g) {
    if (!g)
        return;
    bx_free(g->path);
    bx_free(g->loader);
    bx_free(g);
}
