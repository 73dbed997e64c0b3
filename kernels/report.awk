# Turns what ptxas -v says into one line for each entry; fails if one spills or
# keeps an array in local memory.
/Compiling entry function/ { split($0, part, "'"); entry = part[2] }
/bytes stack frame/ { stack = $1; spill = $5 + $9 }
/Used/ {
  shared = 0
  for (i = 2; i <= NF; i++) if ($i ~ /^smem/) shared = $(i - 2)
  split($0, used, "Used "); split(used[2], registers, " ")
  bad = stack > 0 || spill > 0
  printf "%-8s %-16s %4d registers %7d bytes shared%s\n", target, entry, registers[1], shared, bad ? "  stack " stack ", spills " spill : ""
  failed = failed || bad
  seen++
}
END { exit failed || !seen }
