#include "box/loader.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/map.h"
#include "base/thread.h"
#include "box/embedded.h"
#include "base/unwire.h"

static const size_t stack_classes[] = {64 * BX_KIB, 512 * BX_KIB, 2 * BX_MIB, 8 * BX_MIB};
#define CLASSES     BX_ARRAY_LEN(stack_classes)
#define CLASS_FIRST 1 /* the default */

struct bx_loader {
    pthread_mutex_t mutex; /* over the tables; loading happens outside */
    struct bxe_engine *engines[CLASSES][2];
    struct bx_map *tools; /* name -> struct bxe_tool */
};

static size_t class_of(const struct bx_call_frame *call) {
    size_t i = 0;
    while (i + 1 < CLASSES &&
           (stack_classes[i] < call->limits[BX_LIMIT_STACK] || bx_unwired("stack"))) {
        i++;
    }
    return i;
}

/* Two threads may make the same engine at once; the first to finish stays. */
static struct bxe_engine *engine(struct bx_loader *l, size_t class, bool fuel, struct bx_err *err) {
    struct bxe_engine **place = &l->engines[class][fuel], *made;
    {
        BX_LOCKED(&l->mutex);
        if (*place) {
            return *place;
        }
    }
    char why[300];
    struct bxe_engine_config config = {
        .max_stack_bytes = stack_classes[class], .fuel = fuel, .run = true};
    made = bxe_engine_new(&config, why, sizeof why);
    if (!made) {
        bx_fail(err, BX_ERR_INTERNAL, "the sandbox engine does not start: %s", why);
        return NULL;
    }
    struct bxe_engine *extra = NULL;
    {
        BX_LOCKED(&l->mutex);
        if (*place) {
            extra = made;
        } else {
            *place = made;
        }
    }
    bxe_engine_free(extra);
    return *place;
}

int bx_loader_new(struct bx_loader **ret, struct bx_err *err) {
    struct bx_loader *l = bx_new(struct bx_loader);
    pthread_mutex_init(&l->mutex, NULL);
    l->tools = bx_map_new(NULL);
    if (!engine(l, CLASS_FIRST, false, err)) {
        bx_map_free(l->tools);
        bx_free(l);
        return BX_ERR_INTERNAL;
    }
    *ret = l;
    return 0;
}

uint64_t bx_loader_compat(const struct bx_loader *l) {
    return bxe_engine_compat(l->engines[CLASS_FIRST][false]);
}

/* What tells loaded tools apart: image, form and engine */
static void name_of(const struct bx_call_frame *call, char out[static 200]) {
    char key[2 * BX_IMAGE_KEY + 1];
    if (call->embedded.n > 0) {
        snprintf(out, 200, "%zu%c:" BX_STR_FMT, class_of(call), call->fuel ? 'f' : 'c',
                 BX_STR_ARG(bx_str_slice(call->embedded, 0, 150)));
        return;
    }
    for (size_t i = 0; i < BX_IMAGE_KEY; i++) {
        snprintf(key + 2 * i, 3, "%02x", call->key[i]);
    }
    snprintf(out, 200, "%zu%c#%s", class_of(call), call->fuel ? 'f' : 'c', key);
}

static int load(struct bx_loader *l, const struct bx_call_frame *call, const unsigned char *p,
                size_t n, const struct bxe_tool **ret, struct bx_err *err) {
    char name[200], why[300];
    struct bxe_engine *e = engine(l, class_of(call), call->fuel, err);
    if (!e) {
        return BX_ERR_INTERNAL;
    }
    struct bxe_tool *tool = bxe_tool_load(e, p, n, why, sizeof why), *extra = NULL;
    if (!tool) {
        return bx_fail(err, BX_ERR_DAMAGED, "the compiled tool cannot be loaded: %s", why);
    }
    name_of(call, name);
    {
        BX_LOCKED(&l->mutex);
        struct bxe_tool *other = bx_map_get(l->tools, bx_str(name));
        if (other) {
            extra = tool;
            tool = other;
        } else {
            bx_map_put(l->tools, bx_str(name), tool);
        }
    }
    bxe_tool_free(extra);
    *ret = tool;
    return 0;
}

int bx_loader_find(struct bx_loader *l, const struct bx_call_frame *call,
                   const struct bxe_tool **ret, struct bx_err *err) {
    char name[200];
    name_of(call, name);
    {
        BX_LOCKED(&l->mutex);
        const struct bxe_tool *tool = bx_map_get(l->tools, bx_str(name));
        if (tool) {
            *ret = tool;
            return 0;
        }
    }
    if (call->embedded.n == 0) {
        return bx_fail(err, BX_ERR_NOTFOUND, "the image is needed");
    }
    const struct bx_embedded_image *image = bx_embedded_find(call->embedded, call->fuel);
    if (!image) {
        return bx_fail(err, BX_ERR_INVALID, "there is no embedded tool " BX_STR_FMT,
                       BX_STR_ARG(bx_str_slice(call->embedded, 0, 100)));
    }
    const unsigned char *p;
    size_t size;
    bx_auto(bx_freep) unsigned char *unpacked = NULL;
    int r = bx_embedded_unpack(image, &unpacked, &p, &size, err);
    return r < 0 ? r : load(l, call, p, size, ret, err);
}

int bx_loader_add(struct bx_loader *l, const struct bx_call_frame *call, int memfd,
                  const struct bxe_tool **ret, struct bx_err *err) {
    struct stat st;
    int seals = fcntl(memfd, F_GET_SEALS), wanted = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
    if (seals < 0 || (seals & wanted) != wanted || fstat(memfd, &st) != 0 || st.st_size <= 0) {
        return bx_fail(err, BX_ERR_PROTO, "the image did not come in a sealed file");
    }
    size_t size = (size_t)st.st_size;
    void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, memfd, 0);
    if (p == MAP_FAILED) {
        return bx_fail_errno(err, errno, "the image cannot be mapped");
    }
    int r = load(l, call, p, size, ret, err);
    munmap(p, size);
    return r;
}
