/* Skills as one file: what was packed comes back, the same bytes each time; hostile archives write
 * nothing outside. */
#include "unit/skills/folder.h"

#include <sys/stat.h>

#include "base/file.h"
#include "base/gzip.h"
#include "skills/archive_internal.h"
#include "skills/own.h"
#include "skills/trust.h"

static void put_skill(void) {
    put("own/pdf/SKILL.md", "---\nname: pdf\ndescription: x\n---\nRead it.");
    put("own/pdf/scripts/run.sh", "echo hi");
    put("own/pdf/references/very/deep/a.md", "deep");
    put("own/pdf/.hidden", "not packed");
    bx_auto(bx_freep) char *path = bx_path_join(dir, "own/pdf/scripts/run.sh");
    assert_int_equal(chmod(path, 0755), 0);
}

static struct bx_buf pack(enum bx_archive_kind kind) {
    struct bx_buf out = BX_BUF_INIT(BX_ARCHIVE_MAX);
    struct bx_err err = {0};
    bx_auto(bx_skills_freep) struct bx_skills *s = own_skills();
    if (bx_archive_pack(&s->items[0], kind, &out, &err))
        fail_msg("%s", err.msg);
    return out;
}

static char *target(void) {
    return bx_path_join(dir, "out");
}

static int unpack(struct bx_str bytes, struct bx_err *err) {
    bx_auto(bx_freep) char *to = target();
    bx_dir_remove(to, NULL);
    return bx_archive_unpack(bytes, to, err);
}

static void test_there_and_back(void **state) {
    (void)state;
    put_skill();
    for (int kind = BX_ARCHIVE_ZIP; kind <= BX_ARCHIVE_TAR_GZ; kind++) {
        bx_auto(bx_buf_deinit) struct bx_buf one = pack((enum bx_archive_kind)kind),
                                             two = pack((enum bx_archive_kind)kind);
        assert_true(bx_str_eq(bx_buf_str(&one), bx_buf_str(&two)));
        assert_int_equal(unpack(bx_buf_str(&one), NULL), 0);
        bx_auto(bx_freep) char *to = target();
        bx_auto(bx_skills_freep) struct bx_skills *back = bx_skills_read(to), *own = own_skills();
        char a[BX_SHA256_HEX + 1], b[BX_SHA256_HEX + 1];
        assert_int_equal(back->n, 1);
        assert_int_equal(bx_skill_digest(&back->items[0], a, NULL), 0);
        assert_int_equal(bx_skill_digest(&own->items[0], b, NULL), 0);
        assert_string_equal(a, b); /* the mark of programs, too */
        bx_auto(bx_freep) char *hidden = bx_path_join(to, "pdf/.hidden");
        assert_false(bx_file_exists(hidden));
    }
}

/* ---- hostile ones ---- */

static struct bx_buf archive_of(enum bx_archive_kind kind, const char *const *names,
                                uint32_t zip_mode, char tar_type) {
    struct bx_buf out = BX_BUF_INIT(BX_ARCHIVE_MAX), tar = BX_BUF_INIT(BX_ARCHIVE_MAX);
    struct bx_packer p = {.out = kind == BX_ARCHIVE_ZIP ? &out : &tar,
                          .directory = BX_BUF_INIT(BX_MIB)};
    for (size_t i = 0; names[i]; i++)
        assert_int_equal(kind == BX_ARCHIVE_ZIP
                             ? bx_zip_add(&p, names[i], BX_STR_LIT("evil"), false, NULL)
                             : bx_tar_add(&p, names[i], BX_STR_LIT("evil"), false, NULL),
                         0);
    if (kind == BX_ARCHIVE_ZIP && zip_mode) { /* of the first entry, in the directory */
        p.directory.p[38 + 2] = (char)(zip_mode & 0xff);
        p.directory.p[38 + 3] = (char)(zip_mode >> 8);
    }
    if (kind == BX_ARCHIVE_TAR_GZ && tar_type) {
        unsigned sum = 0;
        tar.p[156] = tar_type;
        memset(tar.p + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += (unsigned char)tar.p[i];
        snprintf(tar.p + 148, 8, "%06o", sum);
    }
    assert_int_equal(kind == BX_ARCHIVE_ZIP ? bx_zip_end(&p, NULL) : bx_tar_end(&p, NULL), 0);
    if (kind == BX_ARCHIVE_TAR_GZ)
        assert_int_equal(bx_gzip(bx_buf_str(&tar), &out, NULL), 0);
    bx_buf_deinit(&tar);
    bx_buf_deinit(&p.directory);
    return out;
}

static void refuse(const char *const *names, uint32_t zip_mode, char tar_type, const char *why) {
    for (int kind = BX_ARCHIVE_ZIP; kind <= BX_ARCHIVE_TAR_GZ; kind++) {
        if ((kind == BX_ARCHIVE_ZIP && tar_type) || (kind == BX_ARCHIVE_TAR_GZ && zip_mode))
            continue;
        bx_auto(bx_buf_deinit) struct bx_buf bytes =
            archive_of((enum bx_archive_kind)kind, names, zip_mode, tar_type);
        struct bx_err err = {0};
        assert_int_not_equal(unpack(bx_buf_str(&bytes), &err), 0);
        if (!strstr(err.msg, why))
            fail_msg("%s\n got: %s\nwant: %s", names[0], err.msg, why);
        bx_auto(bx_freep) char *outside = bx_path_join(dir, "evil");
        assert_false(bx_file_exists(outside));
    }
}
#define NAMES(...)                                                                                 \
    (const char *const[]) {                                                                        \
        __VA_ARGS__, NULL                                                                          \
    }

static void test_hostile_names_and_kinds(void **state) {
    (void)state;
    refuse(NAMES("../evil"), 0, 0, "leads out of the folder");
    refuse(NAMES("a/../../evil"), 0, 0, "leads out of the folder");
    refuse(NAMES("/tmp/evil"), 0, 0, "its name is absolute");
    refuse(NAMES("..\\evil"), 0, 0, "backslash");
    refuse(NAMES("a\nb"), 0, 0, "control character");
    refuse(NAMES("a\xff"), 0, 0, "no UTF-8");
    refuse(NAMES("a/b/c/d/e/f/g/h/i/j/k/l/m/n"), 0, 0, "too deep");
    refuse(NAMES("a/SKILL.md", "a/SKILL.md"), 0, 0, "a/SKILL.md");
    refuse(NAMES("a", "a/b"), 0, 0, "a/b");
    refuse(NAMES("evil"), 0120777, 0, "it is a link");
    refuse(NAMES("evil"), 0020666, 0, "neither a file nor a folder");
    refuse(NAMES("evil"), 0, '2', "it is a link");
    refuse(NAMES("evil"), 0, '1', "it is a link");
    refuse(NAMES("evil"), 0, '6', "neither a file nor a folder");
}

#ifdef BX_UNWIRE
static void test_without_the_check_a_name_leads_out(void **state) {
    (void)state;
    bx_auto(bx_buf_deinit) struct bx_buf bytes = archive_of(BX_ARCHIVE_ZIP, NAMES("../evil"), 0, 0);
    bx_auto(bx_freep) char *outside = bx_path_join(dir, "evil");
    setenv("BX_UNWIRE", "archive_names", 1);
    assert_int_equal(unpack(bx_buf_str(&bytes), NULL), 0);
    unsetenv("BX_UNWIRE");
    assert_true(bx_file_exists(outside));
}
#endif

/* Whatever is cut or changed: an error or the files, never anything outside. */
static void test_damaged_ones(void **state) {
    (void)state;
    put_skill();
    unsigned seed = 1, fine = 0;
    for (int kind = BX_ARCHIVE_ZIP; kind <= BX_ARCHIVE_TAR_GZ; kind++) {
        bx_auto(bx_buf_deinit) struct bx_buf good = pack((enum bx_archive_kind)kind),
                                             tar = BX_BUF_INIT(BX_ARCHIVE_MAX);
        if (kind == BX_ARCHIVE_TAR_GZ)
            assert_int_equal(bx_gunzip(bx_buf_str(&good), &tar, NULL), 0);
        struct bx_buf *from = kind == BX_ARCHIVE_ZIP ? &good : &tar;
        for (size_t i = 0; i < 300; i++) {
            bx_auto(bx_buf_deinit) struct bx_buf bad = BX_BUF_INIT(BX_ARCHIVE_MAX),
                                                 packed = BX_BUF_INIT(BX_ARCHIVE_MAX);
            bx_buf_adds(&bad, bx_buf_str(from));
            for (unsigned k = 0; k < 1 + i % 4; k++) {
                seed = seed * 1103515245 + 12345;
                bad.p[seed / 65536 * 31 % bad.size] ^= (char)(1 + seed / 256 % 255);
            }
            if (i % 5 == 0)
                bx_buf_cut(&bad, seed % bad.size);
            if (kind == BX_ARCHIVE_TAR_GZ)
                assert_int_equal(bx_gzip(bx_buf_str(&bad), &packed, NULL), 0);
            fine += unpack(bx_buf_str(kind == BX_ARCHIVE_ZIP ? &bad : &packed), NULL) == 0;
        }
    }
    assert_true(fine < 600);
    assert_int_equal(unpack(BX_STR_LIT(""), NULL), BX_ERR_INVALID);
    assert_int_equal(unpack(BX_STR_LIT("PK"), NULL), BX_ERR_DAMAGED);
    assert_int_equal(unpack(BX_STR_LIT("hello"), NULL), BX_ERR_INVALID);
    assert_int_equal(unpack(BX_STR_LIT("\x1f\x8b"), NULL), BX_ERR_DAMAGED);
}

static void test_bombs(void **state) {
    (void)state;
    struct bx_err err = {0};
    bx_auto(bx_buf_deinit) struct bx_buf zeros = BX_BUF_INIT(40 * BX_MIB),
                                         out = BX_BUF_INIT(BX_ARCHIVE_MAX);
    struct bx_packer p = {.out = &out, .directory = BX_BUF_INIT(BX_MIB)};
    char *space = bx_buf_space(&zeros, 20 * BX_MIB);
    memset(space, 0, 20 * BX_MIB);
    bx_buf_grew(&zeros, 20 * BX_MIB);
    assert_int_equal(bx_zip_add(&p, "a", bx_buf_str(&zeros), false, NULL), 0);
    assert_int_equal(bx_zip_add(&p, "b", bx_buf_str(&zeros), false, NULL), 0);
    assert_int_equal(bx_zip_end(&p, NULL), 0);
    assert_true(out.size < BX_MIB);
    assert_int_equal(unpack(bx_buf_str(&out), &err), BX_ERR_LIMIT);
    bx_buf_deinit(&p.directory);
    p = (struct bx_packer){.out = &out, .directory = BX_BUF_INIT(BX_MIB)};
    bx_buf_reset(&out);
    for (int i = 0; i <= BX_SKILL_FILES_MAX; i++) {
        bx_auto(bx_freep) char *name = bx_asprintf("f%d", i);
        assert_int_equal(bx_zip_add(&p, name, BX_STR_LIT("x"), false, NULL), 0);
    }
    assert_int_equal(bx_zip_end(&p, NULL), 0);
    assert_int_equal(unpack(bx_buf_str(&out), &err), BX_ERR_LIMIT);
    assert_non_null(strstr(err.msg, "more than 1000 files"));
    bx_buf_deinit(&p.directory);
}

/* ---- put in, written, taken away ---- */

static int add(bool replace, bool *same, struct bx_err *err) {
    bx_auto(bx_freep) char *into = bx_path_join(dir, "skills"),
                           *folder = bx_path_join(dir, "own/pdf");
    char name[65], digest[BX_SHA256_HEX + 1];
    struct bx_skill_adding a = {
        .state = dir, .into = into, .from = "here", .folder = folder, .replace = replace};
    return bx_skill_add(&a, name, digest, same, err);
}

static struct bx_skills *workspace(void) {
    bx_auto(bx_freep) char *own = bx_path_join(dir, "skills");
    struct bx_skills *s = bx_skills_find(&(struct bx_skills_where){.workspace = own});
    bx_skills_mark_trust(s, dir);
    return s;
}

static void test_adding_records_the_digest(void **state) {
    (void)state;
    bool same;
    struct bx_err err = {0};
    put_skill();
    uint64_t before = bx_dir_syncs();
    assert_int_equal(add(false, &same, &err), 0);
    assert_false(same);
    assert_true(bx_dir_syncs() >= before + 7); /* its five folders, where it stands, the record */
    before = bx_dir_syncs();
    assert_int_equal(add(false, &same, &err), 0);
    assert_true(same);
    put("own/pdf/scripts/run.sh", "echo other");
    assert_int_equal(add(false, &same, &err), BX_ERR_EXISTS);
    assert_int_equal(add(true, &same, &err), 0);
    bx_auto(bx_skills_freep) struct bx_skills *s = workspace();
    assert_int_equal(s->n, 1);
    assert_false(s->items[0].untrusted);
    put("skills/pdf/scripts/run.sh", "echo changed behind our back");
    bx_auto(bx_skills_freep) struct bx_skills *changed = workspace();
    assert_true(changed->items[0].untrusted);
    assert_int_equal(bx_skill_say_yes(dir, changed, "pdf", s->items[0].approved, &err),
                     BX_ERR_EXISTS);
    assert_int_equal(bx_skill_say_yes(dir, changed, "pdf", NULL, &err), 0);
    bx_auto(bx_skills_freep) struct bx_skills *again = workspace();
    assert_false(again->items[0].untrusted);
    assert_int_equal(bx_skill_put(dir, again, "pdf",
                                  BX_STR_LIT("---\nname: pdf\ndescription: mine\n---\nMine."),
                                  &err),
                     0);
    bx_auto(bx_skills_freep) struct bx_skills *edited = workspace();
    assert_false(edited->items[0].untrusted); /* who edits it here knows it */
    assert_string_equal(edited->items[0].description, "mine");
    before = bx_dir_syncs();
    assert_int_equal(bx_skill_remove(dir, edited, "pdf", &err), 0);
    assert_true(bx_dir_syncs() >= before + 3);
    bx_auto(bx_skills_freep) struct bx_skills *gone = workspace();
    assert_int_equal(gone->n, 0);
    assert_int_equal(bx_skill_remove(dir, gone, "pdf", &err), BX_ERR_NOTFOUND);
}

static void test_a_copy_takes_the_files_along(void **state) {
    (void)state;
    struct bx_err err = {0};
    put("root/.claude/skills/pdf/SKILL.md", "---\nname: pdf\ndescription: theirs\n---\nTheirs.");
    put("root/.claude/skills/pdf/a.md", "beside");
    bx_auto(bx_freep) char *root = bx_path_join(dir, "root"), *own = bx_path_join(dir, "skills"),
                           *copy = bx_path_join(dir, "skills/pdf/a.md");
    struct bx_skills_where where = {.root = root, .workspace = own};
    bx_auto(bx_skills_freep) struct bx_skills *s = bx_skills_find(&where);
    assert_int_equal(
        bx_skill_put(dir, s, "pdf", BX_STR_LIT("---\nname: other\ndescription: x\n---\n"), &err),
        BX_ERR_INVALID);
    assert_non_null(strstr(err.msg, "calls it other"));
    assert_int_equal(bx_skill_put(dir, s, "../pdf", BX_STR_LIT("---\ndescription: x\n---\n"), &err),
                     BX_ERR_INVALID);
    assert_int_equal(bx_skill_put(dir, s, "pdf", BX_STR_LIT("no front"), &err), BX_ERR_INVALID);
    assert_int_equal(
        bx_skill_put(dir, s, "pdf", BX_STR_LIT("---\ndescription: mine\n---\nMine."), &err), 0);
    assert_true(bx_file_exists(copy));
    bx_auto(bx_skills_freep) struct bx_skills *now = bx_skills_find(&where);
    assert_int_equal(bx_skills_get(now, BX_STR_LIT("pdf"))->source, BX_SKILL_WORKSPACE);
    assert_int_equal(bx_skill_remove(dir, s, "pdf", &err),
                     BX_ERR_DENIED); /* of that list it is the project's */
    assert_non_null(strstr(err.msg, "belongs to the project"));
}

static void test_trust_is_for_the_bytes(void **state) {
    (void)state;
    char digest[BX_SHA256_HEX + 1];
    put("root/.claude/skills/pdf/SKILL.md", "---\ndescription: theirs\n---\nTheirs.");
    put("root/.claude/skills/pdf/a.md", "beside");
    bx_auto(bx_freep) char *root = bx_path_join(dir, "root");
    struct bx_skills_where where = {.root = root};
    bx_auto(bx_skills_freep) struct bx_skills *s = bx_skills_find(&where), *later = NULL,
                                              *changed = NULL;
    bx_skills_mark_trust(s, NULL);
    assert_true(s->items[0].untrusted);
    bx_skills_mark_trust(s, dir);
    assert_true(s->items[0].untrusted);
    assert_int_equal(bx_skill_digest(&s->items[0], digest, NULL), 0);
    assert_int_equal(bx_skill_trust(dir, &s->items[0], digest, NULL), 0);
    later = bx_skills_find(&where);
    bx_skills_mark_trust(later, dir);
    assert_false(later->items[0].untrusted);
    /* exchanged after it was found trusted: the text that was approved is the one that is said */
    put("root/.claude/skills/pdf/SKILL.md", "---\ndescription: theirs\n---\nEvil.");
    bx_auto(bx_buf_deinit) struct bx_buf body = BX_BUF_INIT(BX_MIB);
    assert_int_equal(bx_skill_body(&later->items[0], &body, NULL), 0);
    assert_string_equal(bx_buf_z(&body), "Theirs.");
    changed = bx_skills_find(&where);
    bx_skills_mark_trust(changed, dir);
    assert_true(changed->items[0].untrusted);
    put("root/.claude/skills/pdf/SKILL.md", "---\ndescription: theirs\n---\nTheirs.");
    put("root/.claude/skills/pdf/b.md", "one file more");
    bx_auto(bx_skills_freep) struct bx_skills *more = bx_skills_find(&where);
    bx_skills_mark_trust(more, dir);
    assert_true(more->items[0].untrusted);
}

int main(void) {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_there_and_back),
        T(test_hostile_names_and_kinds),
#ifdef BX_UNWIRE
        T(test_without_the_check_a_name_leads_out),
#endif
        T(test_damaged_ones),
        T(test_bombs),
        T(test_adding_records_the_digest),
        T(test_a_copy_takes_the_files_along),
        T(test_trust_is_for_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
