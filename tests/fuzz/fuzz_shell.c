/* The shell's parser as the permission check uses it: any text, within its bounds, and the parts
 * lie inside the text's meaning: whatever is found is not empty. */
#include "fuzz/fuzz.h"

#include "permit/shell.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bx_arena arena = {NULL};
    struct bx_shell_parts parts;
    size_t derived = 0;
    struct bx_str text = bx_str_n((const char *)data, BX_MIN(size, (size_t)65536));
    bool is_read = bx_shell_split(text, &arena, &parts, &derived);
    if (is_read && (!parts.n || derived > parts.n))
        abort();
    for (size_t i = 0; i < parts.n; i++)
        if (!parts.p[i].text.n && !parts.p[i].plain.n)
            abort();
    bx_arena_deinit(&arena);
    return 0;
}
