/* See the header. */
#include "api/schema/yaml_directives.h"

#include <stdint.h>
#include <string.h>

#include "api/schema/yaml.h"

/* Whether the byte at i ends a line for libyaml: LF, CR, NEL, LS or PS. */
static bool ends_line(struct str text, size_t i)
{
    uint8_t c = (uint8_t)text.data[i];
    uint8_t before = i < 1 ? 0 : (uint8_t)text.data[i - 1];
    uint8_t first = i < 2 ? 0 : (uint8_t)text.data[i - 2];
    return c == '\n' || c == '\r' || (c == 0x85 && before == 0xc2) ||
           ((c == 0xa8 || c == 0xa9) && before == 0x80 && first == 0xe2);
}

bool yaml_has_many_directives(struct str text)
{
    size_t count = 0;
    bool begins = true;
    for (size_t i = 0; i < text.len && count <= YAML_DIRECTIVES_MAX; i++) {
        uint8_t c = (uint8_t)text.data[i];
        bool other = c >= 0x80; /* of a mark of byte order, or of a blank line's end */
        bool ends = ends_line(text, i);
        if (begins && c == '%')
            count++;
        else if (begins && !other && !ends && strchr("# \t", c) == NULL)
            count = 0;
        begins = ends || (begins && other);
    }
    return count > YAML_DIRECTIVES_MAX;
}
