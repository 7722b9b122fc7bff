#include "base/err.h"
int base_nothing(void);
int base_nothing(void)
{
    return 0;
}
/* x */
