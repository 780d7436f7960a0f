// SPDX-License-Identifier: MIT
// The outputs of a frozen prefix, kept for when a window of text comes again: a step then costs the same at any depth.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gt/base/bf16.hpp"
#include "gt/base/error.hpp"
#include "gt/base/version.hpp"
#include "gt/core/arena.hpp"
#include "gt/core/backend.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/view.hpp"
#include "gt/io/checksum.hpp"
#include "gt/io/window_store.hpp"
#include "gt/nn/block_like.hpp"
#include "gt/nn/passes.hpp"
#include "gt/ops/embedding.hpp"
#include "gt/ops/rows.hpp"

namespace gt::inline GT_ABI {

/// How states are kept: as they were computed, so that nothing changes but the time; or in half the memory, rounded.
enum class CachedAs { exact, bf16 };

/// What a prefix cache may take.
struct PrefixCacheOptions {
  std::int64_t bytes = 1'000'000'000;  ///< budget; a window takes T (C sizeof(T) + 4) + 64, of bf16 T (2 C + 4) + 64
  CachedAs type = CachedAs::exact;     ///< bf16: see PrefixCache
  std::string file{};                  ///< to keep them in, and for a later run to find them; empty: memory
};

namespace growth {
/// Finds out whether `options.file` could be opened, before anything else is begun that would be lost.
/// Errors: a file that is no prefix cache, that is in use, or that cannot be written.
inline void check_file(PrefixCacheOptions const& options) {
  if (!options.file.empty()) detail::WindowStore::check_file(options.file);
}
}  // namespace growth

/// What a prefix cache held, and how often it was of use, in windows.
struct PrefixCacheUse {
  std::int64_t windows = 0, bytes = 0;  ///< that it holds now
  std::int64_t capacity = 0;            ///< that fit the budget
  std::int64_t found = 0;               ///< taken from it as they were
  std::int64_t continued = 0;           ///< taken from it at an earlier depth, and carried on from there
  std::int64_t computed = 0;            ///< from the embedding upward
  std::int64_t blocks_saved = 0;        ///< passes of one block over one window that were not made
  std::int64_t asked() const { return found + continued + computed; }  ///< all that was asked for
  /// The same with the counts since `before`.
  PrefixCacheUse since(PrefixCacheUse const& before) const {
    PrefixCacheUse now = *this;
    now.found -= before.found, now.continued -= before.continued, now.computed -= before.computed;
    now.blocks_saved -= before.blocks_saved;
    return now;
  }
};

/// The states behind the lowest blocks of a model, which are frozen, for batches of windows. What it computes it keeps,
/// and when the same ids come again it is read instead. The results are those of `hidden_states`, bit for bit, whatever
/// the budget, for a row does not depend on what else is in a batch.
///
///     gt::Trainer trainer(on, model, shape);                                  // blocks 3 ... 5 and the head train
///     gt::PrefixCache cache(on, model, shape, {.bytes = 2'000'000'000});
///     cache.set_depth(trainer.prefix_depth());                                // 3: what lies below is frozen
///     for (...) trainer.step(cache.states(ids), targets, 1e-3);
///
/// When the model has grown, `set_depth(6)` makes it go on: a window that was kept at depth 3 starts from there when it
/// first comes again, so that it goes through each block once in its life. A window is known by its ids; the first ones
/// that come stay, and when the budget is spent the others are computed each time.
///
/// With CachedAs::bf16 states are rounded to 8 bits at each depth that was set, the ones that find no place as well: so
/// these results too are the same for any budget and after any interruption, but not those of `hidden_states`.
///
/// A file is found again by a later run. Each of its windows has the fingerprint of its prefix: table, weights, shape,
/// instruction set and version of gt; one of another prefix is never read, and a damaged one is computed anew. (The
/// code of a block of one's own is not in the fingerprint: remove the file when that changes.) A disk that is full
/// takes no more windows. `take_notice` tells what happened.   The model must outlive the cache, and what lies below
/// the depth must not change but before a call of `set_depth`, which sees it.
template <Backend B, class Model>
class PrefixCache {
 public:
  using T = typename Model::scalar;  ///< of the states

  /// For batches of `shape`, and `most` different windows at most. The depth is 0: nothing is kept.
  /// Errors: an empty batch, or one beyond the context; bf16 for a model that is not of float; a file that is something
  /// else, that cannot be written, or that another run has open.
  PrefixCache(B on, Model const& model, BatchShape shape, PrefixCacheOptions options = {},
              std::int64_t most = std::numeric_limits<std::int64_t>::max())
      : on_{on},
        model_{model},
        shape_{checked(shape, model, options.type)},
        type_{options.type},
        store_(shape.tokens, window_bytes(), kind(), options.bytes, std::max<std::int64_t>(0, most), options.file),
        from_(static_cast<std::size_t>(shape.batch)),
        entries_(from_.size()),
        at_work_(from_.size()) {
    root_.update(text("gt prefix ", version, " ", on.name(), " "));
    if constexpr (requires { on.products(); }) root_.update(text(static_cast<int>(on.products()), " "));
    auto const number = [&](auto n) { root_.update(std::as_bytes(std::span(&n, 1))); };
    BlockConfig const& c = model.config();
    number(kind()), number(c.d_model), number(c.heads), number(c.ff()), number(c.qkv_bias), number(c.out_bias);
    number(c.norm), number(c.gelu), number(c.norm_eps), number(c.rope_base), number(model.vocab()),
        number(model.table_width());
    levels_.push_back({0, 0});
    use_.capacity = store_.capacity();
  }

  /// From now on the states behind the lowest `depth` blocks. Depths below it that were set before are where windows
  /// may be carried on from.   Errors: blocks that the model does not have.
  void set_depth(int depth) {
    check(depth >= 0 && depth <= model_.depth(), "PrefixCache::set_depth", "the model has ", model_.depth(),
          " blocks (got a depth of ", depth, ")");
    while (levels_.size() > 1 && levels_.back().depth >= depth) levels_.pop_back();
    if (depth > 0) levels_.push_back({depth, 0});
    io::Xxh3 hash = root_;
    hash.update(bytes_of(model_.table().data(), model_.table().size()));
    int l = 0;
    for (auto& level : levels_) {
      for (; l < level.depth; ++l) {
        auto const& weights = model_.blocks()[static_cast<std::size_t>(l)].weights();
        hash.update(bytes_of(weights.data(), weights.size()));
        if (auto const* const adapter = nn::adapter_of(model_.blocks()[static_cast<std::size_t>(l)]))
          hash.update(bytes_of(adapter->weights().data(), adapter->weights().size()));
      }
      if (level.depth > 0) level.fingerprint = std::max<std::uint64_t>(1, hash.value());  // 0: no entry
      if (type_ == CachedAs::bf16) hash.update("rounded");  // what comes after it depends on where that was
    }
    std::vector<ConstantMemory> below;  // their weights are packed once
    for (int b = 0; b < depth; ++b)
      below.push_back(detail::memory_of(model_.blocks()[static_cast<std::size_t>(b)].weights()));
    on_ = keeping(on_, std::move(below));
    use_.windows = store_.count([&](std::uint64_t f) { return level_of(f) > 0; });
    // What is held of no depth that was set is of no use; when that is all there is, its place is free again: but not
    // before another depth might be set.
    settled_ = use_.windows > 0 || store_.count([](std::uint64_t) { return true; }) == 0;
  }
  int depth() const { return levels_.back().depth; }  ///< blocks

  /// The states of a batch, [B * T, C], valid until the next call. ids: [B * T].   Errors: another number of ids; an id
  /// that is no token.
  Matrix<T const> states(std::span<std::int32_t const> ids) {
    check(static_cast<std::int64_t>(ids.size()) == shape_.rows(), "PrefixCache", "a batch must hold ", shape_.rows(),
          " ids (got ", ids.size(), ")");
    if (x_.is_null()) take_memory();
    int const top = static_cast<int>(levels_.size()) - 1;
    if (top == 0) {
      embed(ids, x_);
      return x_;
    }
    settle();
    for (std::size_t i = 0; i < from_.size(); ++i) look_up(window(ids, i), i);
    std::size_t n = 0;  // windows at work, carried upward together
    for (int level = 0; level < top; ++level) {
      for (std::size_t i = 0; i < from_.size(); ++i) {
        if (from_[i] != level) continue;
        Matrix<T> const rows = rows_of(work_, n);
        if (level == 0) {
          embed(window(ids, i), rows);
        } else {
          read(entries_[i], rows);
        }
        at_work_[n++] = i;
      }
      if (n > 0) carry(static_cast<std::int64_t>(n), levels_[at(level)].depth, levels_[at(level) + 1].depth);
    }
    for (std::size_t k = 0; k < n; ++k) {
      std::copy_n(rows_of(work_, k).data(), window_size(), rows_of(x_, at_work_[k]).data());
      keep(window(ids, at_work_[k]), rows_of(work_, k));
    }
    for (std::size_t i = 0; i < from_.size(); ++i) {
      if (from_[i] == top) read(entries_[i], rows_of(x_, i));
    }
    return x_;
  }

  /// What it holds at the depth that was set or below, and the counts since it was made.
  PrefixCacheUse use() const {
    PrefixCacheUse now = use_;
    now.bytes = now.windows * store_.entry_bytes();
    return now;
  }
  /// A sentence for the user about the file, once each: that it was of another prefix, is damaged, or takes no more.
  /// Empty most of the time.
  std::string take_notice() { return store_.take_notice(); }
  /// Memory of a batch, beside the budget.
  std::int64_t activation_bytes() const {
    return measure([&](Arena& arena) { lay_out(arena); });
  }

 private:
  // A depth that was set, and the fingerprint of the blocks below it. The first is the embedding.
  struct Level {
    int depth;
    std::uint64_t fingerprint;
  };

  static BatchShape checked(BatchShape s, Model const& model, CachedAs type) {
    check(s.batch > 0 && s.tokens > 0 && s.tokens <= model.context(), "PrefixCache",
          "a batch must be positive and fit the context of ", model.context(), " tokens (got ", s.batch, " x ",
          s.tokens, ")");
    check((std::is_same_v<T, float>) || type == CachedAs::exact, "PrefixCache",
          "bf16 must round the states of a float model (got another type); keep them exact");
    return s;
  }
  static std::size_t at(int level) { return static_cast<std::size_t>(level); }
  static std::span<std::byte const> bytes_of(T const* data, std::int64_t size) {
    return std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  }
  std::int64_t window_size() const { return shape_.tokens * model_.config().d_model; }  // numbers
  std::int64_t window_bytes() const {
    auto const each = type_ == CachedAs::bf16 ? sizeof(Bf16) : sizeof(T);
    return window_size() * static_cast<std::int64_t>(each);
  }
  // What an entry's bytes are.
  std::uint64_t kind() const {
    std::int64_t const numbers[] = {1, shape_.tokens, model_.config().d_model, static_cast<int>(sizeof(T)),
                                    static_cast<int>(type_)};
    return io::Xxh3{}.update(std::as_bytes(std::span(numbers))).value();
  }
  std::span<std::int32_t const> window(std::span<std::int32_t const> ids, std::size_t i) const {
    auto const n = static_cast<std::size_t>(shape_.tokens);
    return ids.subspan(i * n, n);
  }
  Matrix<T> rows_of(Matrix<T> x, std::size_t window) const {
    return x.rows(static_cast<std::int64_t>(window) * shape_.tokens, shape_.tokens);
  }

  void lay_out(Arena& arena) const {
    std::int64_t const M = shape_.rows(), C = model_.config().d_model;
    arena.take<T>(2 * M * C);
    if (model_.depth() > 0) model_.blocks()[0].activations(arena, shape_);
  }
  void take_memory() {
    std::int64_t const M = shape_.rows(), C = model_.config().d_model;
    arena_ = Arena(activation_bytes());
    T* const states = arena_.template take<T>(2 * M * C);
    x_ = Matrix<T>(states, M, C), work_ = Matrix<T>(states + M * C, M, C);
  }
  void settle() {
    if (settled_) return;
    settled_ = true;
    store_.tell_rebuilt();
    store_.clear();
  }
  int level_of(std::uint64_t fingerprint) const {
    for (int level = static_cast<int>(levels_.size()) - 1; level > 0; --level) {
      if (levels_[at(level)].fingerprint == fingerprint) return level;
    }
    return 0;
  }
  // Where window i of the batch starts from.
  void look_up(std::span<std::int32_t const> ids, std::size_t i) {
    std::int32_t const entry = entries_[i] = store_.find(ids);
    from_[i] = entry == store_.none ? 0 : level_of(store_.fingerprint(entry));
    if (from_[i] > 0 && !store_.is_whole(entry)) from_[i] = 0, --use_.windows;
    int const top = static_cast<int>(levels_.size()) - 1;
    ++(from_[i] == top ? use_.found : from_[i] > 0 ? use_.continued : use_.computed);
    use_.blocks_saved += levels_[at(from_[i])].depth;
  }
  void embed(std::span<std::int32_t const> ids, Matrix<T> x) const {
    ops::embedding(on_, model_.table(), Vector<std::int32_t const>(ids.data(), x.rows()), x);
  }
  // The first n windows at work through blocks from ... to - 1.
  void carry(std::int64_t n, int from, int to) {
    Matrix<T> const x = work_.rows(0, n * shape_.tokens);
    std::int64_t const mark = arena_.mark();
    for (int l = from; l < to; ++l) {
      auto const& block = model_.blocks()[static_cast<std::size_t>(l)];
      auto activations = block.activations(arena_, {n, shape_.tokens});
      block.forward(on_, x, activations, x, {n, shape_.tokens}, model_.rotary());
      arena_.release(mark);
    }
    if constexpr (std::is_same_v<T, float>) {
      if (type_ == CachedAs::bf16)
        for_each_piece(x, [](float* row, std::int64_t size, std::int64_t) {
          for (std::int64_t j = 0; j < size; ++j) row[j] = Bf16(row[j]);
        });
    }
  }
  // f(row, C, number of the first element) for each row, on all threads.
  template <class F>
  void for_each_piece(Matrix<T> x, F const& f) const {
    ops::for_each_row(on_, x.rows(), x.columns(), [&](std::int64_t i) { f(x.row(i), x.columns(), i * x.columns()); });
  }
  void read(std::int32_t entry, Matrix<T> x) const {
    std::byte const* const bytes = store_.states(entry);
    for_each_piece(x, [&](T* row, std::int64_t size, std::int64_t first) {
      if constexpr (std::is_same_v<T, float>) {
        if (type_ == CachedAs::bf16) {
          Bf16 const* const from = reinterpret_cast<Bf16 const*>(bytes) + first;
          for (std::int64_t j = 0; j < size; ++j) row[j] = from[j];
          return;
        }
      }
      std::memcpy(row, bytes + first * std::int64_t{sizeof(T)}, static_cast<std::size_t>(size) * sizeof(T));
    });
  }
  void keep(std::span<std::int32_t const> ids, Matrix<T> x) {
    std::int32_t const entry = store_.find(ids);
    int const held = entry == store_.none ? 0 : level_of(store_.fingerprint(entry));
    if (at(held) + 1 == levels_.size()) return;  // the same window twice in a batch
    std::byte* const bytes = store_.open_entry(ids);
    if (bytes == nullptr) return;
    for_each_piece(x, [&](T* row, std::int64_t size, std::int64_t first) {
      if constexpr (std::is_same_v<T, float>) {
        if (type_ == CachedAs::bf16) {
          Bf16* const to = reinterpret_cast<Bf16*>(bytes) + first;
          for (std::int64_t j = 0; j < size; ++j) to[j] = Bf16(row[j]);
          return;
        }
      }
      std::memcpy(bytes + first * std::int64_t{sizeof(T)}, row, static_cast<std::size_t>(size) * sizeof(T));
    });
    if (store_.close_entry(levels_.back().fingerprint)) {
      use_.windows += held == 0;
    } else {
      use_.windows -= held > 0;
    }
  }

  B on_;
  Model const& model_;
  BatchShape shape_;
  CachedAs type_;
  detail::WindowStore store_;
  io::Xxh3 root_;  // of what is below the blocks
  std::vector<Level> levels_;
  bool settled_ = false;
  PrefixCacheUse use_;
  std::vector<int> from_;              // level that each window of the batch starts from
  std::vector<std::int32_t> entries_;  // where that is kept
  std::vector<std::size_t> at_work_;   // windows of the batch that are being computed, in their order in `work_`
  Arena arena_;
  Matrix<T> x_, work_;
};

}  // namespace gt
