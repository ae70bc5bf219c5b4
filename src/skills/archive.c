#include "skills/archive_internal.h"

#include "base/file.h"
#include "base/gzip.h"
#include "base/path.h"
#include "base/unwire.h"
#include "base/utf8.h"
#include "skills/internal.h"

#define NAME_MAX_BYTES 240
#define DEPTH_MAX      12
#define TAR_MAX        (BX_SKILL_FILES_BYTES_MAX + 4 * BX_MIB) /* with its headers */

bool bx_archive_kind_of(const char *name, enum bx_archive_kind *ret) {
    struct bx_str s = bx_str(name);
    bool zip = bx_str_ends(s, ".zip") || bx_str_ends(s, ".skill"),
         tar = bx_str_ends(s, ".tar.gz") || bx_str_ends(s, ".tgz");
    *ret = zip ? BX_ARCHIVE_ZIP : BX_ARCHIVE_TAR_GZ;
    return zip || tar;
}

static const char *name_problem(struct bx_str name) {
    struct bx_str rest = name, part;
    size_t depth = 0;
    if (!name.n || name.n > NAME_MAX_BYTES)
        return "its name is empty or longer than 240 bytes";
    if (name.p[0] == '/')
        return "its name is absolute";
    if (memchr(name.p, 0, name.n) || memchr(name.p, '\\', name.n) || !bx_utf8_valid(name))
        return "its name holds a backslash, a NUL or no UTF-8";
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < ' ')
            return "its name holds a control character";
    while (bx_str_split(&rest, '/', &part)) {
        if (bx_str_eqz(part, "..") && !bx_unwired("archive_names"))
            return "its name leads out of the folder (..)";
        if (++depth > DEPTH_MAX)
            return "it lies too deep";
    }
    return NULL;
}

int bx_unpack_entry(struct bx_unpacker *u, struct bx_str name, struct bx_str bytes, bool is_program,
                    struct bx_err *err) {
    while (bx_str_starts(name, "./"))
        name = bx_str_slice(name, 2, name.n);
    bool folder = bx_str_ends(name, "/") || bx_str_eqz(name, ".");
    const char *problem = bx_str_eqz(name, ".") || !name.n ? NULL : name_problem(name);
    if (problem)
        return bx_fail(err, BX_ERR_INVALID, "the entry \"%.*s\" is refused: %s",
                       (int)BX_MIN(name.n, (size_t)120), name.p, problem);
    if (++u->files > BX_SKILL_FILES_MAX || bytes.n > bx_unpack_left(u))
        return bx_fail(err, BX_ERR_LIMIT, "it has more than %d files or more than %zu MiB",
                       BX_SKILL_FILES_MAX, BX_SKILL_FILES_BYTES_MAX / BX_MIB);
    u->bytes += bytes.n;
    if (folder || !name.n)
        return 0; /* made when a file of it comes */
    bx_auto(bx_freep) char *own = bx_str_dup(name);
    int rc = bx_skill_write_file(u->dir, own, bytes, is_program, err);
    return rc ? bx_wrap(err, rc, "the entry \"%.120s\"", own) : 0;
}

int bx_archive_unpack(struct bx_str bytes, const char *dir, struct bx_err *err) {
    struct bx_unpacker u = {.dir = dir};
    int rc = bx_dir_make(dir, 0700, err);
    if (rc)
        return rc;
    if (bytes.n > BX_ARCHIVE_MAX)
        return bx_fail(err, BX_ERR_LIMIT, "it is larger than 16 MiB");
    if (bx_str_starts(bytes, "PK"))
        return bx_unzip(bytes, &u, err);
    if (!bx_str_starts(bytes, "\x1f\x8b"))
        return bx_fail(err, BX_ERR_INVALID, "it is neither a .zip nor a .tar.gz");
    bx_auto(bx_buf_deinit) struct bx_buf tar = BX_BUF_INIT(TAR_MAX);
    rc = bx_gunzip(bytes, &tar, err);
    return rc ? rc : bx_untar(bx_buf_str(&tar), &u, err);
}

/* ---- packing ---- */

struct pack {
    struct bx_packer packer;
    enum bx_archive_kind kind;
};

static int pack_one(void *user, const char *name, struct bx_str bytes, bool is_program,
                    struct bx_err *err) {
    struct pack *p = user;
    bx_auto(bx_freep) char *full = bx_asprintf("%s/%s", p->packer.top, name);
    if (strlen(full) > NAME_MAX_BYTES)
        return bx_fail(err, BX_ERR_LIMIT, "the name %.80s… is longer than 240 bytes", full);
    return p->kind == BX_ARCHIVE_ZIP ? bx_zip_add(&p->packer, full, bytes, is_program, err)
                                     : bx_tar_add(&p->packer, full, bytes, is_program, err);
}

int bx_archive_pack(const struct bx_skill *s, enum bx_archive_kind kind, struct bx_buf *out,
                    struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf tar = BX_BUF_INIT(TAR_MAX);
    struct pack p = {.packer = {.out = kind == BX_ARCHIVE_ZIP ? out : &tar,
                                .directory = BX_BUF_INIT(4 * BX_MIB),
                                .top = s->name},
                     .kind = kind};
    int rc = bx_skill_each_file(s, pack_one, &p, err);
    if (!rc)
        rc = kind == BX_ARCHIVE_ZIP ? bx_zip_end(&p.packer, err) : bx_tar_end(&p.packer, err);
    bx_buf_deinit(&p.packer.directory);
    if (!rc && kind == BX_ARCHIVE_TAR_GZ)
        rc = bx_gzip(bx_buf_str(&tar), out, err);
    return rc                   ? rc
           : bx_buf_failed(out) ? bx_fail(err, BX_ERR_LIMIT, "it is larger than 16 MiB")
                                : 0;
}
