/* The cache of compiled tools: only what we wrote ourselves is taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/path.h"
#include "box/image.h"

static char *dir;
static int compiled; /* how often */

static int fake_compile(void *user, struct bx_str wasm, bool fuel, int *ret_memfd,
                        struct bx_err *err) {
    (void)user;
    if (bx_str_eqz(wasm, "broken")) {
        return bx_fail(err, BX_ERR_INVALID, "no good");
    }
    int fd = memfd_create("fake", MFD_CLOEXEC);
    bx_auto(bx_freep) char *text = bx_asprintf("compiled %.*s %d", (int)wasm.n, wasm.p, fuel);
    bx_write_all(fd, text, strlen(text));
    compiled++;
    *ret_memfd = fd;
    return 0;
}

static void get(const char *wasm, bool fuel, uint64_t compat, bool want_from_cache) {
    struct bx_image_cache *cache = NULL;
    struct bx_image *image = NULL;
    struct bx_err err = {0};
    assert_int_equal(bx_image_cache_open(dir, &cache, &err), 0);
    assert_int_equal(
        bx_image_get(cache, bx_str(wasm), fuel, compat, fake_compile, NULL, &image, &err), 0);
    assert_int_equal(image->from_cache, want_from_cache);
    char content[100] = "", want[100];
    snprintf(want, sizeof want, "compiled %s %d", wasm, fuel);
    assert_int_equal(pread(image->memfd, content, sizeof content - 1, 0), (int)strlen(want));
    assert_string_equal(content, want);
    assert_int_equal(write(image->memfd, "x", 1), -1); /* sealed */
    bx_image_free(image);
    bx_image_cache_close(cache);
}

static int setup(void **state) {
    (void)state;
    char scratch[] = "/tmp/bx-image-XXXXXX";
    dir = bx_path_join(mkdtemp(scratch), "cache");
    return 0;
}

static int teardown(void **state) {
    (void)state;
    bx_auto(bx_freep) char *above = bx_path_dir(dir);
    bx_dir_remove(above, NULL);
    bx_free(dir);
    return 0;
}

static void test_kept(void **state) {
    (void)state;
    get("one", false, 1, false);
    get("one", false, 1, true);
    get("one", true, 1, false);  /* another form */
    get("one", false, 2, false); /* another engine */
    get("two", false, 1, false);
    get("one", false, 1, true);
    struct stat st;
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    bx_auto(bx_freep) char *key = bx_path_join(dir, "key");
    assert_int_equal(stat(key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static int flip(void *user, const char *name) {
    bx_auto(bx_freep) char *path = bx_path_join(dir, name);
    char byte;
    if (bx_str_ends(bx_str(name), ".image")) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        off_t at = *(const int *)user < 0 ? lseek(fd, 0, SEEK_END) + *(const int *)user
                                          : *(const int *)user;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
    return 0;
}

/* One bit anywhere, a shorter file, another key: compiled anew. */
static void test_forged(void **state) {
    (void)state;
    const int places[] = {0, 8, 39, 40, -1};
    get("forged", false, 1, false);
    for (size_t i = 0; i < BX_ARRAY_LEN(places); i++) {
        get("forged", false, 1, true);
        bx_dir_each(dir, flip, (void *)(uintptr_t)&places[i], NULL);
        get("forged", false, 1, false);
    }
    bx_auto(bx_freep) char *key = bx_path_join(dir, "key");
    assert_int_equal(unlink(key), 0);
    get("forged", false, 1, false);
    assert_int_equal(chmod(key, 0644), 0); /* others may have read it */
    get("forged", false, 1, false);
    get("forged", false, 1, true);
}

static void test_refused(void **state) {
    (void)state;
    struct bx_image_cache *cache = NULL;
    struct bx_image *image = NULL;
    struct bx_err err = {0};
    assert_int_equal(bx_image_cache_open(dir, &cache, NULL), 0);
    assert_int_equal(
        bx_image_get(cache, BX_STR_LIT("broken"), false, 1, fake_compile, NULL, &image, &err),
        BX_ERR_INVALID);
    bx_auto(bx_freep) char *large = bx_alloc(BX_IMAGE_WASM_MAX + 1);
    assert_int_equal(bx_image_get(cache, bx_str_n(large, BX_IMAGE_WASM_MAX + 1), false, 1,
                                  fake_compile, NULL, &image, &err),
                     BX_ERR_LIMIT);
    bx_image_cache_close(cache);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_int_equal(bx_image_cache_open(dir, &cache, &err), BX_ERR_DENIED);
    assert_non_null(strstr(err.msg, "chmod 700"));
    assert_int_equal(chmod(dir, 0700), 0);
}

static void test_without_folder(void **state) {
    (void)state;
    struct bx_image_cache *cache = NULL;
    int before = compiled;
    assert_int_equal(bx_image_cache_open(NULL, &cache, NULL), 0);
    for (int i = 0; i < 2; i++) {
        struct bx_image *image = NULL;
        assert_int_equal(
            bx_image_get(cache, BX_STR_LIT("one"), false, 1, fake_compile, NULL, &image, NULL), 0);
        bx_image_free(image);
    }
    assert_int_equal(compiled - before, 2);
    bx_image_cache_close(cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_without_folder),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
