#include "box/embedded.h"

#include <zstd.h>

struct bx_str bx_embedded_program(struct bx_str command) {
    for (const struct bx_embedded_program *p = bx_embedded_programs; p && p->command; p++) {
        if (bx_str_eqz(command, p->command)) {
            return bx_str(p->image);
        }
    }
    return (struct bx_str){0};
}

const struct bx_embedded_image *bx_embedded_find(struct bx_str name, bool fuel) {
    for (const struct bx_embedded_image *i = bx_embedded_images; i && i->name; i++) {
        if (i->fuel == fuel && bx_str_eqz(name, i->name)) {
            return i;
        }
    }
    return NULL;
}

int bx_embedded_unpack(const struct bx_embedded_image *image, unsigned char **take_owned,
                       const unsigned char **ret, size_t *ret_size, struct bx_err *err) {
    size_t n = (size_t)(image->end - image->start);
    *take_owned = NULL;
    *ret = image->start;
    *ret_size = n;
    if (!image->packed) {
        return 0;
    }
    unsigned long long size = ZSTD_getFrameContentSize(image->start, n);
    if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN) {
        return bx_fail(err, BX_ERR_DAMAGED, "the program %s inside the binary is damaged",
                       image->name);
    }
    unsigned char *made = bx_alloc((size_t)size);
    size_t got = ZSTD_decompress(made, (size_t)size, image->start, n);
    if (ZSTD_isError(got) || got != size) {
        bx_free(made);
        return bx_fail(err, BX_ERR_DAMAGED, "the program %s inside the binary is damaged: %s",
                       image->name, ZSTD_getErrorName(got));
    }
    *take_owned = made;
    *ret = made;
    *ret_size = (size_t)size;
    return 0;
}
