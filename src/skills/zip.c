#include "skills/archive_internal.h"

#include <sys/stat.h>

#include "base/gzip.h"

/* ZIP as PKWARE's APPNOTE says: the directory at the end counts; only what skills need of it. */

#define LOCAL_SIGNATURE   0x04034b50u
#define CENTRAL_SIGNATURE 0x02014b50u
#define END_SIGNATURE     0x06054b50u
#define LOCAL_SIZE        30
#define CENTRAL_SIZE      46
#define END_SIZE          22
#define COMMENT_MAX       65535
#define STORED            0
#define DEFLATED          8
#define MADE_BY_UNIX      3
#define FLAG_ENCRYPTED    1u
#define FLAG_UTF8         0x800u
#define DOS_DAY           0x0021u /* 1 January 1980: the first one there is */

static uint32_t get(struct bx_str s, size_t at, unsigned bytes) {
    uint32_t n = 0;
    for (unsigned i = 0; i < bytes; i++)
        n |= (uint32_t)(unsigned char)s.p[at + i] << (8 * i);
    return n;
}

static bool inside(struct bx_str s, uint64_t at, uint64_t n) {
    return at <= s.n && n <= s.n - at;
}

static int damaged(struct bx_err *err, const char *what) {
    return bx_fail(err, BX_ERR_DAMAGED, "the archive is damaged: %s", what);
}

/* ---- reading ---- */

struct entry {
    struct bx_str name;
    uint32_t flags, method, crc, packed, size, mode, offset;
    bool by_unix;
};

static int read_entry(struct bx_str zip, size_t *at, struct entry *e, struct bx_err *err) {
    if (!inside(zip, *at, CENTRAL_SIZE) || get(zip, *at, 4) != CENTRAL_SIGNATURE)
        return damaged(err, "its directory ends too early");
    *e = (struct entry){.by_unix = get(zip, *at + 5, 1) == MADE_BY_UNIX,
                        .flags = get(zip, *at + 8, 2),
                        .method = get(zip, *at + 10, 2),
                        .crc = get(zip, *at + 16, 4),
                        .packed = get(zip, *at + 20, 4),
                        .size = get(zip, *at + 24, 4),
                        .mode = get(zip, *at + 40, 2),
                        .offset = get(zip, *at + 42, 4)};
    size_t name = get(zip, *at + 28, 2),
           more = (size_t)get(zip, *at + 30, 2) + get(zip, *at + 32, 2);
    if (!inside(zip, *at + CENTRAL_SIZE, name + more))
        return damaged(err, "its directory ends too early");
    e->name = bx_str_slice(zip, *at + CENTRAL_SIZE, name);
    *at += CENTRAL_SIZE + name + more;
    return 0;
}

static int refuse_kind(const struct entry *e, struct bx_err *err) {
    const char *why = e->flags & FLAG_ENCRYPTED ? "it is encrypted"
                      : e->method != STORED && e->method != DEFLATED
                          ? "it is packed in a way that is not known here"
                      : e->packed == UINT32_MAX || e->size == UINT32_MAX ? "it is larger than 4 GiB"
                      : e->by_unix && S_ISLNK(e->mode)                   ? "it is a link"
                      : e->by_unix && (e->mode & S_IFMT) && !S_ISREG(e->mode) && !S_ISDIR(e->mode)
                          ? "it is neither a file nor a folder"
                          : NULL;
    return why ? bx_fail(err, BX_ERR_INVALID, "the entry \"%.*s\" is refused: %s",
                         (int)BX_MIN(e->name.n, (size_t)120), e->name.p, why)
               : 0;
}

static int unpack(struct bx_str zip, const struct entry *e, struct bx_unpacker *u,
                  struct bx_err *err) {
    int rc = refuse_kind(e, err);
    if (rc)
        return rc;
    if (!inside(zip, e->offset, LOCAL_SIZE) || get(zip, e->offset, 4) != LOCAL_SIGNATURE)
        return damaged(err, "an entry is not where the directory says");
    uint64_t data = (uint64_t)e->offset + LOCAL_SIZE + get(zip, e->offset + 26, 2) +
                    get(zip, e->offset + 28, 2);
    if (!inside(zip, data, e->packed))
        return damaged(err, "an entry ends too early");
    if (e->size > bx_unpack_left(u))
        return bx_fail(err, BX_ERR_LIMIT, "it has more than %zu MiB unpacked",
                       BX_SKILL_FILES_BYTES_MAX / BX_MIB);
    bx_auto(bx_buf_deinit) struct bx_buf bytes = BX_BUF_INIT((size_t)e->size + 1);
    struct bx_str packed = bx_str_slice(zip, (size_t)data, e->packed);
    rc = e->method == STORED ? bx_buf_adds(&bytes, packed) : bx_inflate(packed, &bytes, err);
    if (rc || bytes.size != e->size || bx_crc32(bx_buf_str(&bytes)) != e->crc)
        return damaged(err, "the bytes of an entry are not those that were packed");
    return bx_unpack_entry(u, e->name, bx_buf_str(&bytes), e->by_unix && (e->mode & 0100), err);
}

int bx_unzip(struct bx_str zip, struct bx_unpacker *u, struct bx_err *err) {
    size_t at = zip.n >= END_SIZE ? zip.n - END_SIZE + 1 : 0;
    size_t stop = at > COMMENT_MAX + 1 ? at - COMMENT_MAX - 1 : 0;
    while (at-- > stop)
        if (get(zip, at, 4) == END_SIGNATURE && at + END_SIZE + get(zip, at + 20, 2) == zip.n)
            break;
    if (at == SIZE_MAX || at + 1 <= stop || zip.n < END_SIZE)
        return damaged(err, "its directory is missing");
    uint32_t entries = get(zip, at + 10, 2);
    size_t next = get(zip, at + 16, 4);
    if (get(zip, at + 4, 4) || entries != get(zip, at + 8, 2))
        return bx_fail(err, BX_ERR_INVALID, "it is one part of a split archive");
    int rc = 0;
    for (uint32_t i = 0; i < entries && !rc; i++) {
        struct entry e = {0};
        rc = read_entry(zip, &next, &e, err);
        if (!rc)
            rc = unpack(zip, &e, u, err);
    }
    return rc;
}

/* ---- writing ---- */

static void put(struct bx_buf *out, uint32_t n, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++)
        bx_buf_addc(out, (char)(n >> (8 * i) & 0xff));
}

/* What a local header and the directory both say. */
static void put_common(struct bx_buf *out, uint32_t method, uint32_t crc, size_t packed,
                       size_t size, size_t name) {
    put(out, 20, 2); /* version needed: deflate, folders */
    put(out, FLAG_UTF8, 2);
    put(out, method, 2);
    put(out, 0, 2);
    put(out, DOS_DAY, 2);
    put(out, crc, 4);
    put(out, (uint32_t)packed, 4);
    put(out, (uint32_t)size, 4);
    put(out, (uint32_t)name, 2);
    put(out, 0, 2); /* extra */
}

int bx_zip_add(struct bx_packer *p, const char *name, struct bx_str bytes, bool is_program,
               struct bx_err *err) {
    bx_auto(bx_buf_deinit) struct bx_buf packed = BX_BUF_INIT(2 * BX_SKILL_FILES_BYTES_MAX);
    int rc = bx_deflate(bytes, &packed, err);
    if (rc)
        return rc;
    bool smaller = packed.size < bytes.n;
    struct bx_str data = smaller ? bx_buf_str(&packed) : bytes;
    uint32_t crc = bx_crc32(bytes), method = smaller ? DEFLATED : STORED,
             offset = (uint32_t)p->out->size;
    put(p->out, LOCAL_SIGNATURE, 4);
    put_common(p->out, method, crc, data.n, bytes.n, strlen(name));
    bx_buf_addz(p->out, name);
    bx_buf_adds(p->out, data);
    put(&p->directory, CENTRAL_SIGNATURE, 4);
    put(&p->directory, MADE_BY_UNIX << 8 | 20, 2);
    put_common(&p->directory, method, crc, data.n, bytes.n, strlen(name));
    put(&p->directory, 0, 2); /* comment */
    put(&p->directory, 0, 2); /* disk */
    put(&p->directory, 0, 2); /* internal */
    put(&p->directory, (uint32_t)(S_IFREG | (is_program ? 0755 : 0644)) << 16, 4);
    put(&p->directory, offset, 4);
    bx_buf_addz(&p->directory, name);
    p->entries++;
    return bx_buf_failed(p->out) ? bx_fail(err, BX_ERR_LIMIT, "it is larger than 16 MiB packed")
                                 : 0;
}

int bx_zip_end(struct bx_packer *p, struct bx_err *err) {
    uint32_t offset = (uint32_t)p->out->size;
    bx_buf_adds(p->out, bx_buf_str(&p->directory));
    put(p->out, END_SIGNATURE, 4);
    put(p->out, 0, 4); /* this disk, and that of the directory */
    put(p->out, (uint32_t)p->entries, 2);
    put(p->out, (uint32_t)p->entries, 2);
    put(p->out, (uint32_t)p->directory.size, 4);
    put(p->out, offset, 4);
    put(p->out, 0, 2); /* comment */
    return bx_buf_failed(p->out) ? bx_fail(err, BX_ERR_LIMIT, "it is larger than 16 MiB packed")
                                 : 0;
}
