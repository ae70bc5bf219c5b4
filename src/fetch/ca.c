#include "fetch/ca.h"

#include "base/file.h"
#include "base/thread.h"

#define MAX_STORE (8 * BX_MIB)

static const char *const places[] = {
    "/etc/ssl/certs/ca-certificates.crt",                // Debian, Ubuntu, Arch, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",                  // older ones
    "/etc/ssl/ca-bundle.pem",                            // SUSE
    "/etc/ssl/cert.pem",                                 // Alpine, BSD
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct bx_buf store = {.max = MAX_STORE};
static bool is_read;

int bx_ca_get(struct bx_str *ret, struct bx_err *err) {
    BX_LOCKED(&lock);
    const char *wanted = getenv("SSL_CERT_FILE");
    if (!is_read && wanted && *wanted) {
        int r = bx_file_read(wanted, &store, err);
        if (r < 0) {
            bx_buf_reset(&store);
            return bx_wrap(err, BX_ERR_UNAVAILABLE, "SSL_CERT_FILE");
        }
        is_read = true;
    }
    for (size_t i = 0; !is_read && i < BX_ARRAY_LEN(places); i++) {
        is_read = bx_file_read(places[i], &store, NULL) == 0;
        if (!is_read) {
            bx_buf_reset(&store);
        }
    }
    if (!is_read) {
        return bx_fail(
            err, BX_ERR_UNAVAILABLE,
            "no store of certificates was found: install ca-certificates, or set SSL_CERT_FILE");
    }
    *ret = bx_buf_str(&store);
    return 0;
}
