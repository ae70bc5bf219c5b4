/* Finding text whatever the case of its letters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fold.h"
#include "base/id.h"
#include "base/utf8.h"

static void letters(void **state) {
    (void)state;
    static const struct {
        uint32_t upper, lower;
    } pairs[] = {
        {'A', 'a'},     {'Z', 'z'},       {0xc4, 0xe4} /* Ä */,   {0xde, 0xfe},
        {0x178, 0xff},  {0x141, 0x142},   {0x160, 0x161} /* Š */, {0x391, 0x3b1},
        {0x3a3, 0x3c3}, {0x3c2, 0x3c3},   {0x410, 0x430},         {0x42f, 0x44f},
        {0x401, 0x451}, {0x531, 0x561},   {0x1ea0, 0x1ea1},       {0x10400, 0x10428},
        {0xd7, 0xd7},   {0xdf, 0xdf},     {0x131, 0x131},         {0x4e00, 0x4e00},
        {'[', '['},     {0x212a, 0x212a}, {0x1e9e, 0x1e9e},       {0x10ffff, 0x10ffff},
        {0x101, 0x101}, {0x17f, 0x17f},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(pairs); i++)
        if (bx_fold_char(pairs[i].upper) != pairs[i].lower)
            fail_msg("U+%04X", pairs[i].upper);
    for (uint32_t c = 0; c < 0x20000; c++) /* what is folded stays, with as many bytes */
        assert_int_equal(bx_fold_char(bx_fold_char(c)), bx_fold_char(c));
}

static void places(void **state) {
    (void)state;
    static const struct {
        const char *text, *needle;
        size_t at;
    } cases[] = {
        {"abc", "c", 2},
        {"abc", "C", 2},
        {"ABC", "bc", 1},
        {"abc", "abcd", SIZE_MAX},
        {"abc", "", 0},
        {"aXbxaXc", "xc", 5},
        {"", "a", SIZE_MAX},
        {"zzzzZq", "zQ", 4},
        {"a\"b", "\"B", 1},
        {"äöü", "ö", 2},
        {"KkKk", "kkk", 0},
        {"q", "q", 0},
        {"xq", "qx", SIZE_MAX},
        {"qxq", "xq", 1},
        {"Der ÄRGER", "ärger", 4},
        {"der ärger", "ÄRGER", 4},
        {"ŁÓDŹ", "łódź", 0},
        {"в Привете ПРИВЕТ", "привет", 3},
        {"как ДЕЛА", "дела", 7},
        {"ΟΔΟΣ οδός", "οδοσ", 0},
        {"οδος", "ΟΔΟΣ", 0}, /* the sigma at a word's end */
        {"µm", "ΜM", 0},     /* the sign for micro is the letter */
        {"ÿ", "Ÿ", 0},
        {"日本語", "本", 3},
        {"ä", "a", SIZE_MAX},
        {"Ĩĩ", "ĩĨ", 0},
        {"straße", "STRASSE", SIZE_MAX},
        {"x\xff\xc3q", "\xc3Q", 2}, /* no UTF-8: as it stands */
        {"\xc3", "ä", SIZE_MAX},
        {"ab\xc3", "b\xc3\xa4", SIZE_MAX},
    };
    for (size_t i = 0; i < BX_ARRAY_LEN(cases); i++) {
        size_t at = bx_find_folded(bx_str(cases[i].text), bx_str(cases[i].needle));
        if (at != cases[i].at)
            fail_msg("%s in %s: %zu", cases[i].needle, cases[i].text, at);
    }
}

/* ---- against the plainest way ---- */

static struct bx_str folded(struct bx_str text, struct bx_buf *out) {
    bx_buf_reset(out);
    for (size_t i = 0; i < text.n;) {
        unsigned char lead = (unsigned char)text.p[i];
        size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : 3;
        uint32_t c = n == 1 ? lead : lead & (0x7fu >> n);
        for (size_t k = 1; k < n; k++)
            c = c << 6 | ((unsigned char)text.p[i + k] & 0x3f);
        bx_utf8_add_char(out, bx_fold_char(c));
        i += n;
    }
    return bx_buf_str(out);
}

static void of_chance(void **state) {
    (void)state;
    static const char *const signs[] = {"a", "A", "k", "K", "ä", "Ä",   "ё",  "Ё",  "σ",
                                        "ς", "Σ", "µ", "Μ", "Ꭰ", "ꭰ", "日", "\"", "ı"};
    struct bx_buf text = BX_BUF_INIT(4096), needle = BX_BUF_INIT(4096), a = BX_BUF_INIT(4096),
                  b = BX_BUF_INIT(4096);
    size_t found = 0;
    for (int round = 0; round < 20000; round++) {
        unsigned char dice[24];
        bx_random(dice, sizeof dice);
        bx_buf_reset(&text);
        bx_buf_reset(&needle);
        for (size_t i = 0; i < 20; i++)
            bx_buf_addz(&text, signs[dice[i] % BX_ARRAY_LEN(signs)]);
        for (size_t i = 20; i < 21u + dice[23] % 3; i++)
            bx_buf_addz(&needle, signs[dice[i] % BX_ARRAY_LEN(signs)]);
        size_t want =
            bx_str_find_str(folded(bx_buf_str(&text), &a), folded(bx_buf_str(&needle), &b));
        size_t got = bx_find_folded(bx_buf_str(&text), bx_buf_str(&needle));
        if (got != (want == (size_t)-1 ? SIZE_MAX : want))
            fail_msg("%s in %s: %zu, not %zu", bx_buf_z(&needle), bx_buf_z(&text), got, want);
        found += got != SIZE_MAX;
    }
    assert_true(found > 1000 && found < 19000);
    bx_buf_deinit(&text);
    bx_buf_deinit(&needle);
    bx_buf_deinit(&a);
    bx_buf_deinit(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters),
        cmocka_unit_test(places),
        cmocka_unit_test(of_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
