// Disk images by their files: what they say of themselves, and copying through qemu-img. Knows no machine.
#pragma once

#include "disk/check.h"
#include "disk/convert.h"
#include "disk/measure.h"
#include "disk/qcow2_header.h"
