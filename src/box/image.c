#include "box/image.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/id.h"
#include "base/path.h"
#include "base/vec.h"

#define MAGIC        "BXIMAGE1"
#define HEADER_SIZE  (8 + BX_SHA256_SIZE)
#define CACHE_MAX    (512 * BX_MIB)
#define COMPILED_MAX (512 * BX_MIB)
#define KEY_FILE     "key"

struct bx_image_cache {
    char *dir; /* NULL: nothing is kept */
    unsigned char key[BX_SHA256_SIZE];
};

void bx_image_free(struct bx_image *image) {
    if (image) {
        bx_fd_close(&image->memfd);
        bx_free(image);
    }
}

/* A file of ours that nobody else can read or write */
static bool is_private(const struct stat *st) {
    return st->st_uid == geteuid() && (st->st_mode & 077) == 0;
}

static bool read_key(const char *path, unsigned char out[static BX_SHA256_SIZE]) {
    struct stat st;
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && is_private(&st) &&
           st.st_size == BX_SHA256_SIZE && read(fd, out, BX_SHA256_SIZE) == BX_SHA256_SIZE;
}

static int open_dir(struct bx_image_cache *c, const char *dir, struct bx_err *err) {
    struct stat st;
    bx_auto(bx_freep) char *path = bx_path_join(dir, KEY_FILE);
    int r = bx_dir_make(dir, 0700, err);
    if (r < 0) {
        return r;
    }
    if (stat(dir, &st) != 0 || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
        return bx_fail(
            err, BX_ERR_DENIED,
            "the cache folder %.300s can be changed by others: chmod 700 it, or remove it", dir);
    }
    if (!read_key(path, c->key)) {
        bx_random(c->key, sizeof c->key);
        r = bx_file_write_atomic(path, bx_str_n((const char *)c->key, sizeof c->key), 0600, err);
        if (r < 0) {
            return r;
        }
        read_key(path, c->key); /* another process may have been first */
    }
    c->dir = bx_strdup(dir);
    return 0;
}

int bx_image_cache_open(const char *dir, struct bx_image_cache **ret, struct bx_err *err) {
    struct bx_image_cache *c = bx_new(struct bx_image_cache);
    int r = dir ? open_dir(c, dir, err) : 0;
    if (r < 0) {
        bx_free(c);
        return r;
    }
    *ret = c;
    return 0;
}

void bx_image_cache_close(struct bx_image_cache *c) {
    if (c) {
        explicit_bzero(c->key, sizeof c->key);
        bx_free(c->dir);
        bx_free(c);
    }
}

static void make_key(struct bx_image *image, uint64_t compat) {
    struct bx_sha256 h;
    bx_sha256_init(&h);
    bx_sha256_add(&h, image->digest, BX_SHA256_HEX);
    bx_sha256_add(&h, &image->fuel, sizeof image->fuel);
    bx_sha256_add(&h, &compat, sizeof compat);
    bx_sha256_end(&h, image->key);
}

static void authenticate(const struct bx_image_cache *c, const struct bx_image *image,
                         const void *p, size_t n, unsigned char out[static BX_SHA256_SIZE]) {
    struct bx_hmac m;
    bx_hmac_init(&m, c->key, sizeof c->key);
    bx_hmac_add(&m, MAGIC, 8);
    bx_hmac_add(&m, image->key, sizeof image->key);
    bx_hmac_add(&m, p, n);
    bx_hmac_end(&m, out);
}

static char *file_of(const struct bx_image_cache *c, const struct bx_image *image) {
    char hex[2 * BX_SHA256_SIZE + 1];
    bx_hex(image->key, sizeof image->key, hex);
    return bx_asprintf("%s/%s.image", c->dir, hex);
}

/* A nameless file with these bytes that nobody can change any more */
static int seal(struct bx_image *image, const void *p, size_t n, struct bx_err *err) {
    bx_auto(bx_fd_close) int fd = memfd_create("boxagnts-image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) {
        return bx_fail_errno(err, errno, "the compiled tool cannot be kept in memory");
    }
    int e = bx_write_all(fd, p, n);
    if (e < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0) {
        return bx_fail_errno(err, e < 0 ? -e : errno, "the compiled tool cannot be kept in memory");
    }
    image->memfd = fd;
    image->size = n;
    fd = -1;
    return 0;
}

static bool find(const struct bx_image_cache *c, struct bx_image *image) {
    struct stat st;
    unsigned char want[BX_SHA256_SIZE];
    bx_auto(bx_freep) char *path = file_of(c, image);
    bx_auto(bx_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= (off_t)HEADER_SIZE ||
        (uint64_t)st.st_size > COMPILED_MAX) {
        return false;
    }
    bx_auto(bx_freep) unsigned char *all = bx_alloc((size_t)st.st_size);
    for (size_t at = 0; at < (size_t)st.st_size;) {
        ssize_t n = read(fd, all + at, (size_t)st.st_size - at);
        if (n <= 0) {
            return false;
        }
        at += (size_t)n;
    }
    size_t size = (size_t)st.st_size - HEADER_SIZE;
    authenticate(c, image, all + HEADER_SIZE, size, want);
    if (memcmp(all, MAGIC, 8) != 0 || !bx_const_time_eq(all + 8, want, sizeof want)) {
        return false;
    }
    futimens(fd, NULL); /* used now: the oldest are dropped first */
    return seal(image, all + HEADER_SIZE, size, NULL) == 0;
}

struct kept {
    char *path;
    uint64_t size;
    struct timespec used_at;
};
struct listing {
    const char *dir;
    uint64_t total;
    BX_VEC(struct kept) files;
};

static int list_one(void *user, const char *name) {
    struct listing *l = user;
    struct stat st;
    bx_auto(bx_freep) char *path = bx_path_join(l->dir, name);
    if (bx_str_ends(bx_str(name), ".image") && lstat(path, &st) == 0) {
        l->total += (uint64_t)st.st_size;
        bx_vec_push(&l->files, ((struct kept){bx_steal(&path), (uint64_t)st.st_size, st.st_mtim}));
    }
    return 0;
}

static int older_first(const void *a, const void *b) {
    const struct kept *x = a, *y = b;
    if (x->used_at.tv_sec != y->used_at.tv_sec) {
        return x->used_at.tv_sec < y->used_at.tv_sec ? -1 : 1;
    }
    return (x->used_at.tv_nsec > y->used_at.tv_nsec) - (x->used_at.tv_nsec < y->used_at.tv_nsec);
}

static void evict(const struct bx_image_cache *c) {
    struct listing l = {.dir = c->dir};
    bx_dir_each(c->dir, list_one, &l, NULL);
    if (l.files.n > 0) {
        qsort(l.files.p, l.files.n, sizeof *l.files.p, older_first);
    }
    for (size_t i = 0; i < l.files.n; i++) {
        if (l.total > CACHE_MAX && unlink(l.files.p[i].path) == 0) {
            l.total -= l.files.p[i].size;
        }
        bx_free(l.files.p[i].path);
    }
    bx_vec_free(&l.files);
}

/* Failing to keep it only costs the next start time. */
static void keep(const struct bx_image_cache *c, const struct bx_image *image, const void *p,
                 size_t n) {
    unsigned char mac[BX_SHA256_SIZE];
    bx_auto(bx_buf_deinit) struct bx_buf file = BX_BUF_INIT(HEADER_SIZE + n);
    bx_auto(bx_freep) char *path = file_of(c, image);
    authenticate(c, image, p, n, mac);
    bx_buf_add(&file, MAGIC, 8);
    bx_buf_add(&file, mac, sizeof mac);
    bx_buf_add(&file, p, n);
    if (bx_file_write_atomic(path, bx_buf_str(&file), 0600, NULL) == 0) {
        evict(c);
    }
}

/* What the compiler handed over: copied out before it is used, because the compiler is not trusted
 * to leave it alone. */
static int adopt(const struct bx_image_cache *c, struct bx_image *image, int made,
                 struct bx_err *err) {
    struct stat st;
    if (fstat(made, &st) != 0 || st.st_size <= 0 || (uint64_t)st.st_size > COMPILED_MAX) {
        return bx_fail(err, BX_ERR_LIMIT, "the compiled tool is empty or larger than %zu MiB",
                       COMPILED_MAX / BX_MIB);
    }
    size_t n = (size_t)st.st_size;
    bx_auto(bx_freep) unsigned char *copy = bx_alloc(n);
    if (pread(made, copy, n, 0) != (ssize_t)n) {
        return bx_fail(err, BX_ERR_IO, "the compiled tool cannot be read back");
    }
    int r = seal(image, copy, n, err);
    if (r == 0 && c->dir) {
        keep(c, image, copy, n);
    }
    return r;
}

int bx_image_get(struct bx_image_cache *c, struct bx_str wasm, bool fuel, uint64_t compat,
                 bx_image_compile_fn *compile, void *user, struct bx_image **ret,
                 struct bx_err *err) {
    if (wasm.n > BX_IMAGE_WASM_MAX) {
        return bx_fail(err, BX_ERR_LIMIT, "a tool may have at most %zu MiB, this one has %zu",
                       BX_IMAGE_WASM_MAX / BX_MIB, wasm.n / BX_MIB);
    }
    bx_auto(bx_image_freep) struct bx_image *image = bx_new(struct bx_image);
    image->memfd = -1;
    image->fuel = fuel;
    bx_sha256_hex_of(wasm.p, wasm.n, image->digest);
    make_key(image, compat);
    image->from_cache = c->dir && find(c, image);
    if (!image->from_cache) {
        bx_auto(bx_fd_close) int made = -1;
        int r = compile(user, wasm, fuel, &made, err);
        r = r < 0 ? r : adopt(c, image, made, err);
        if (r < 0) {
            return r;
        }
    }
    *ret = bx_steal(&image);
    return 0;
}
