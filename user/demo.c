#include "demo.h"
int demo(const struct options *options) { (void)options; return 3; }
