#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/sha256.h"

static void check(const char *text, size_t repeat, const char *want) {
    char hex[BX_SHA256_HEX + 1];
    unsigned char out[BX_SHA256_SIZE];
    for (int cpu = 0; cpu < 2; cpu++) {
        bx_sha256_use_cpu(cpu);
        struct bx_sha256 h;
        bx_sha256_init(&h);
        for (size_t i = 0; i < repeat; i++) {
            bx_sha256_add(&h, text, strlen(text));
        }
        bx_sha256_end(&h, out);
        bx_hex(out, sizeof out, hex);
        assert_string_equal(hex, want);
    }
}

/* The examples of FIPS 180-4 */
static void test_known(void **state) {
    (void)state;
    check("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    check("a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* However the bytes are cut, and whichever code runs, the digest is the same. */
static void test_pieces(void **state) {
    (void)state;
    unsigned char data[1000], want[BX_SHA256_SIZE], got[BX_SHA256_SIZE];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (unsigned char)(i * 7 + i / 256);
    }
    for (size_t n = 0; n < sizeof data; n += 13) {
        bx_sha256_use_cpu(false);
        bx_sha256_of(data, n, want);
        bx_sha256_use_cpu(true);
        struct bx_sha256 h;
        bx_sha256_init(&h);
        for (size_t at = 0, step = 1; at < n; at += step, step = step * 3 % 131) {
            bx_sha256_add(&h, data + at, BX_MIN(step, n - at));
        }
        bx_sha256_end(&h, got);
        assert_memory_equal(got, want, sizeof want);
    }
}

/* RFC 4231, cases 1, 2 and 6 */
static void test_hmac(void **state) {
    (void)state;
    static const struct {
        unsigned char key_byte;
        size_t key_size;
        const char *key, *data, *want;
    } cases[] = {
        {0x0b, 20, NULL, "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {0, 4, "Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {0xaa, 131, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        unsigned char key[131], out[BX_SHA256_SIZE];
        char hex[BX_SHA256_HEX + 1];
        memset(key, cases[i].key_byte, sizeof key);
        struct bx_hmac m;
        bx_hmac_init(&m, cases[i].key ? (const void *)cases[i].key : key, cases[i].key_size);
        bx_hmac_add(&m, cases[i].data, strlen(cases[i].data));
        bx_hmac_end(&m, out);
        bx_hex(out, sizeof out, hex);
        assert_string_equal(hex, cases[i].want);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_hmac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
