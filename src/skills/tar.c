#include "skills/archive_internal.h"

/* tar as POSIX (ustar, pax) and GNU write it; only what skills need of it. */

#define BLOCK    512
#define META_MAX (64 * BX_KIB) /* of a long name or a pax header */

static int damaged(struct bx_err *err, const char *what) {
    return bx_fail(err, BX_ERR_DAMAGED, "the archive is damaged: %s", what);
}

/* A field that ends with its length or a NUL. */
static struct bx_str field(const char *header, size_t at, size_t n) {
    return bx_str_n(header + at, strnlen(header + at, n));
}

static bool octal(struct bx_str s, uint64_t *ret) {
    s = bx_str_trim(s);
    *ret = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '7' || *ret >> 40)
            return false;
        *ret = *ret * 8 + (uint64_t)(s.p[i] - '0');
    }
    return s.n > 0;
}

static bool sum_fits(const char *header) {
    uint64_t want = 0, sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)header[i];
    return octal(field(header, 148, 8), &want) && want == sum;
}

static bool all_zero(const char *header) {
    for (size_t i = 0; i < BLOCK; i++)
        if (header[i])
            return false;
    return true;
}

/* "27 path=some/long/name\n" of a pax header. */
static int pax_path(struct bx_str text, struct bx_str *ret, struct bx_err *err) {
    while (text.n) {
        uint64_t n;
        size_t space = bx_str_find(text, ' ');
        if (space == (size_t)-1 || !bx_str_to_u64(bx_str_slice(text, 0, space), &n) || n > text.n ||
            n < space + 2)
            return damaged(err, "a pax header cannot be read");
        struct bx_str line = bx_str_slice(text, space + 1, (size_t)n - space - 2);
        if (bx_str_starts(line, "path="))
            *ret = bx_str_slice(line, 5, line.n);
        text = bx_str_slice(text, (size_t)n, text.n);
    }
    return 0;
}

struct tar {
    struct bx_str long_name; /* for the next entry, or empty */
};

static int take(struct tar *t, const char *header, struct bx_str bytes, struct bx_unpacker *u,
                struct bx_err *err) {
    char type = header[156];
    uint64_t mode = 0;
    if (type == 'x' || type == 'L') {
        if (bytes.n > META_MAX)
            return damaged(err, "a name is too long");
        if (type == 'x')
            return pax_path(bytes, &t->long_name, err);
        t->long_name = bx_str_n(bytes.p, strnlen(bytes.p, bytes.n));
        return 0;
    }
    if (type == 'g')
        return 0;
    struct bx_str prefix =
        memcmp(header + 257, "ustar", 5) ? (struct bx_str){"", 0} : field(header, 345, 155);
    struct bx_str own = field(header, 0, 100);
    bx_auto(bx_freep) char *name = t->long_name.n
                                       ? bx_str_dup(t->long_name)
                                       : bx_asprintf("%.*s%s%.*s", (int)prefix.n, prefix.p,
                                                     prefix.n ? "/" : "", (int)own.n, own.p);
    t->long_name = (struct bx_str){NULL, 0};
    if (type == '5') {
        bx_auto(bx_freep) char *folder = bx_asprintf("%s/", name);
        return bx_unpack_entry(u, bx_str(folder), (struct bx_str){"", 0}, false, err);
    }
    if (type != '0' && type != '\0')
        return bx_fail(err, BX_ERR_INVALID, "the entry \"%.120s\" is refused: it is %s", name,
                       type == '1' || type == '2' ? "a link" : "neither a file nor a folder");
    octal(field(header, 100, 8), &mode);
    return bx_unpack_entry(u, bx_str(name), bytes, mode & 0100, err);
}

int bx_untar(struct bx_str tar, struct bx_unpacker *u, struct bx_err *err) {
    struct tar t = {{NULL, 0}};
    for (size_t at = 0; at + BLOCK <= tar.n;) {
        const char *header = tar.p + at;
        uint64_t size;
        if (all_zero(header))
            return 0;
        if (!sum_fits(header) || !octal(field(header, 124, 12), &size) || size > tar.n - at - BLOCK)
            return damaged(err, "a header cannot be read");
        int rc = take(&t, header, bx_str_slice(tar, at + BLOCK, (size_t)size), u, err);
        if (rc)
            return rc;
        at += BLOCK + ((size_t)size + BLOCK - 1) / BLOCK * BLOCK;
    }
    return damaged(err, "its end is missing");
}

/* ---- writing ---- */

/* The place of the slash that cuts a long name into prefix and name; 0: it needs none, or there is
 * none. */
static size_t cut_of(const char *name) {
    size_t n = strlen(name);
    for (size_t i = n > 101 ? n - 101 : 0; n > 100 && i < n && i <= 155; i++)
        if (name[i] == '/' && i)
            return i;
    return 0;
}

int bx_tar_add(struct bx_packer *p, const char *name, struct bx_str bytes, bool is_program,
               struct bx_err *err) {
    char header[BLOCK] = "";
    size_t cut = cut_of(name);
    const char *own = cut ? name + cut + 1 : name;
    if (strlen(own) > 100)
        return bx_fail(err, BX_ERR_LIMIT, "the name %.80s… is too long for a .tar.gz: use .zip",
                       name);
    memcpy(header, own, strlen(own));
    memcpy(header + 345, name, cut);
    snprintf(header + 100, 8, "%07o", is_program ? 0755u : 0644u);
    snprintf(header + 108, 8, "%07o", 0u);
    snprintf(header + 116, 8, "%07o", 0u);
    snprintf(header + 124, 12, "%011llo", (unsigned long long)bytes.n);
    snprintf(header + 136, 12, "%011o", 0u); /* 1970 */
    memset(header + 148, ' ', 8);
    header[156] = '0';
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    header[155] = ' ';
    bx_buf_add(p->out, header, BLOCK);
    bx_buf_adds(p->out, bytes);
    while (p->out->size % BLOCK && !bx_buf_failed(p->out))
        bx_buf_addc(p->out, 0);
    return bx_buf_failed(p->out) ? bx_fail(err, BX_ERR_LIMIT, "it is too large") : 0;
}

int bx_tar_end(struct bx_packer *p, struct bx_err *err) {
    static const char zeros[2 * BLOCK];
    return bx_buf_add(p->out, zeros, sizeof zeros) ? bx_fail(err, BX_ERR_LIMIT, "it is too large")
                                                   : 0;
}
