/* fetch/ca.h: the machine's certificate store, read at its first use and kept. Any thread. */
#ifndef BX_FETCH_CA_H
#define BX_FETCH_CA_H

#include "base/base.h"

/* PEM text, a view for the life of the process. BX_ERR_UNAVAILABLE says where it was looked for. */
int bx_ca_get(struct bx_str *ret, struct bx_err *err);

#endif
