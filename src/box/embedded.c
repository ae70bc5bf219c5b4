#include "box/embedded.h"

const struct bx_embedded_image *bx_embedded_find(struct bx_str name, bool fuel) {
    for (const struct bx_embedded_image *i = bx_embedded_images; i && i->name; i++) {
        if (i->fuel == fuel && bx_str_eqz(name, i->name)) {
            return i;
        }
    }
    return NULL;
}
