/* What any peer may send to an HTTP/1 server. The first byte is the size of the pieces. */
#include "tests/fuzz/net_engine/net_engine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    size_t piece = data[0] == 0 ? len : data[0];
    net_engine_serve(http1_server_new, str_of(data + 1, len - 1), piece);
    return 0;
}
