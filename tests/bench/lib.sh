# Shared by the benchmarks: medians, and the one line each figure ends with.

# figure NAME GANTRY PEER UNIT GOAL: GOAL is ratio>=N, abs<=N or -; the ratio is oriented so that above 1
# means Gantry is better: unit ops/s: gantry/peer, any other: peer/gantry.
figure() {
    awk -v name="$1" -v gantry="$2" -v peer="$3" -v unit="$4" -v goal="$5" 'BEGIN {
        ratio = "-"
        if (peer != "-" && gantry > 0 && peer > 0)
            ratio = sprintf("%.2f", unit == "ops/s" ? gantry / peer : peer / gantry)
        met = "yes"
        if (goal ~ /^ratio>=/) met = (ratio != "-" && ratio + 0 >= substr(goal, 8) + 0) ? "yes" : "no"
        if (goal ~ /^abs<=/) met = (gantry + 0 <= substr(goal, 6) + 0) ? "yes" : "no"
        printf "bench %s gantry=%s peer=%s ratio=%s unit=%s goal=%s met=%s\n", name, gantry, peer, ratio, unit, goal, met
    }'
}

median() { sort -n | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
