//! Writes a CSV file of the given size with ten columns of all types: `generate_csv <bytes> <path>`.
//!
//! The same size always gives the same file.

use std::{
    env,
    fs::File,
    io::{self, BufWriter, Write},
};

const CATEGORIES: [&str; 12] = [
    "books",
    "music",
    "garden",
    "toys",
    "kitchen",
    "sports",
    "clothing",
    "food",
    "health",
    "office",
    "travel",
    "\"home, other\"",
];
const COUNTRIES: [&str; 8] = ["DE", "FR", "US", "GB", "IN", "BR", "JP", "ZA"];
const WORDS: [&str; 16] = [
    "fast",
    "delivery",
    "broken",
    "as",
    "described",
    "would",
    "buy",
    "again",
    "too",
    "small",
    "colour",
    "good",
    "quality",
    "late",
    "friendly",
    "returned",
];

/// The generator `SplitMix64`.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words[at]
    }
}

fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let (Some(bytes), Some(path)) = (arguments.next().and_then(|text| text.parse::<u64>().ok()), arguments.next())
    else {
        return Err(io::Error::other("usage: generate_csv <bytes> <path>"));
    };
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut random = Random(1);
    let mut written = 0;
    let mut line = Vec::new();
    writeln!(file, "order_id,customer,ordered_at,delivery_date,amount,quantity,category,country,gift,comment")?;
    for order in 1_000_000_u64.. {
        if written >= bytes {
            break;
        }
        line.clear();
        order_line(&mut line, order, &mut random)?;
        file.write_all(&line)?;
        written += line.len() as u64;
    }
    file.flush()
}

fn order_line(line: &mut Vec<u8>, order: u64, random: &mut Random) -> io::Result<()> {
    let customer = random.below(500_000);
    let (day, month, year) = (1 + random.below(28), 1 + random.below(12), 2015 + random.below(10));
    let (hour, minute, second) = (random.below(24), random.below(60), random.below(60));
    write!(line, "{order},{customer},{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z,")?;
    if random.below(20) > 0 {
        write!(line, "{year}-{month:02}-{:02}", 1 + random.below(28))?;
    }
    let cents = random.below(1000) * random.below(1000);
    write!(line, ",{}.{:02},{},", cents / 100, cents % 100, 1 + random.below(9))?;
    write!(line, "{},{},", random.pick(&CATEGORIES), random.pick(&COUNTRIES))?;
    write!(line, "{},", random.below(10) == 0)?;
    if random.below(4) > 0 {
        for word in 0..2 + random.below(5) {
            write!(line, "{}{}", if word == 0 { "" } else { " " }, random.pick(&WORDS))?;
        }
        write!(line, " {}", random.below(10_000))?;
    }
    line.push(b'\n');
    Ok(())
}
