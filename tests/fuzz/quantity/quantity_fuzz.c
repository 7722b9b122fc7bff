/* Any text: a quantity parses or is refused, and its canonical text is a fixed point of equal
 * value. */
#include "api/meta/quantity.h"
#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct quantity q;
    struct quantity again;
    struct err e = { 0 };
    char text[QUANTITY_TEXT_MAX];
    char second[QUANTITY_TEXT_MAX];
    if (quantity_parse(str_of(data, len), &q, &e) < 0)
        return 0;
    size_t text_len = quantity_format(&q, text);
    ASSERT(quantity_parse(str_of(text, text_len), &again, &e) == 0);
    ASSERT(quantity_cmp(&q, &again) == 0);
    size_t second_len = quantity_format(&again, second);
    ASSERT(str_eq(str_of(text, text_len), str_of(second, second_len)));
    (void)quantity_value(&q);
    (void)quantity_milli(&q);
    return 0;
}
