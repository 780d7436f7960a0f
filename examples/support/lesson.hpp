// SPDX-License-Identifier: MIT
// What the lessons share: claims that are checked while one reads them, and a small text to learn from.
#pragma once

#include <cstdio>

namespace lesson {

inline int failed_claims = 0;

/// Prints a claim and whether it holds. A lesson ends with `return lesson::verdict();`.
inline void claim(bool holds, char const* what) {
  std::printf("  [%s] %s\n", holds ? "true" : "FALSE", what);
  if (!holds) ++failed_claims;
}
/// The exit status of a lesson: 0 if all of its claims held.
inline int verdict() { return failed_claims == 0 ? 0 : 1; }

/// A story of 4 kB, written for these lessons.
inline constexpr char const* story =
    R"(Marta kept the tide clock of Orlow. The clock stood at the end of the harbour wall, and it told the boats when
there was water enough to leave and when there was not. Every morning Marta walked along the wall, wound the clock,
cleaned the glass, and wrote the height of the water in a book. Every evening she walked along the wall again, and
wrote the height of the water once more.

The book was old. Her father had written in it, and his mother before him. Each page had two columns, one for the
morning and one for the evening, and each line had a date. Nobody in Orlow read the book, but everybody in Orlow was
glad that it was there.

One morning in the autumn the water did not come. Marta stood at the end of the harbour wall and looked at the clock.
The clock said that the water was high. She looked at the harbour. The boats lay in the mud, and the gulls walked
between them. She cleaned the glass, and she wound the clock, and the clock still said that the water was high.

"The clock is wrong," said the baker, who had come to look.

"The clock is never wrong," said Marta.

"Then the sea is wrong," said the baker, and he laughed, and he walked back along the wall.

Marta did not laugh. She wrote a nought in the book, and beside the nought she wrote the hour. Then she turned the
pages back. She read her own lines, and the lines of her father, and the lines of his mother, and in the last light of
the evening she found what she was looking for. Once before, in the autumn, the water had not come. Beside the nought
her grandmother had written the hour, and under the hour she had written one line more: two days, then all at once.

So Marta went from door to door. She went to the baker and to the smith, to the school and to the inn, and at every
door she said the same. "Take the boats up. Take them up to the square. In two days the water will come, and it will
come all at once."

"The boats belong in the harbour," said the smith.

"The harbour belongs to the sea," said Marta, "and the sea has gone to fetch something."

The smith thought about that. Then he put down his hammer and went to fetch his horses. The baker did not laugh any
more. All day the people of Orlow pulled the boats out of the mud, and all night they pulled them up the hill, and in
the morning of the second day the boats of Orlow stood in the square, one beside the other, like cows at a market.

Marta walked along the wall. She wound the clock and cleaned the glass. Far out, where the sea was, there was a thin
white line, and the line was growing. She wrote the hour in the book, and under the hour she wrote one line more, and
then she ran.

The water came all at once. It came over the harbour wall, and over the roofs of the sheds, and it came up the hill as
far as the first step of the inn. There it stopped. It stood for as long as it takes to count to a hundred, and then it
went back, slowly, the way it had come.

In the evening the boats were still in the square. Nobody had been hurt. The harbour was full of water, and of baskets,
and of doors. The clock had gone from the end of the wall.

It was the smith who made the new clock, and it was the baker who paid for the glass. They set it at the end of the
harbour wall, where the old clock had stood. Every morning Marta walked along the wall, wound the clock, cleaned the
glass, and wrote the height of the water in the book. And every evening, when she walked along the wall again, there
was somebody with her who wanted to read it.
)";

}  // namespace lesson
