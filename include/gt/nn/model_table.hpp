// SPDX-License-Identifier: MIT
// The table that a model stands on: shared and frozen, or trained in a copy of the model's own.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gt/base/error.hpp"
#include "gt/core/buffer.hpp"
#include "gt/core/scalar.hpp"
#include "gt/core/view.hpp"
#include "gt/substrate/fingerprint.hpp"
#include "gt/substrate/frozen_table.hpp"
#include "gt/substrate/learned_embedding.hpp"

namespace gt::inline GT_ABI::nn {

/// V rows of n numbers with their names. Copies share the rows.
template <class T>
class ModelTable {
 public:
  /// The rows of a substrate, shared where T is float.
  template <Substrate S>
  explicit ModelTable(S const& substrate)
      : vocab_{substrate.vocab()},
        width_{substrate.width()},
        method_{substrate.method()},
        fingerprint_{substrate.fingerprint()},
        origin_{fingerprint_} {
    if constexpr (std::same_as<T, float>) {
      rows_ = substrate.table();
    } else {
      rows_ = Buffer<T>(vocab_ * width_);
      for (std::int64_t i = 0; i < rows_.size(); ++i) rows_[i] = T(substrate.table().data()[i]);
    }
  }

  std::int64_t vocab() const { return vocab_; }                    ///< V
  std::int64_t width() const { return width_; }                    ///< n
  std::string const& method() const { return method_; }            ///< "glyph", "binary", ...
  std::string const& fingerprint() const { return fingerprint_; }  ///< names the rows
  std::string const& origin() const { return origin_; }            ///< the same before they were trained
  Buffer<T> const& buffer() const { return rows_; }                ///< all numbers
  /// The rows, [V, n].
  Matrix<T const> view() const { return Matrix<T const>(rows_.data(), vocab_, width_); }
  bool trains() const { return trains_; }  ///< never but where it is a LearnedEmbedding's

  /// Equal rows in other memory, [V, n].   Errors: another number of elements; a table that trains.
  void set_rows(Buffer<T> rows) {
    check(rows.size() == rows_.size(), "with_table", "the table must be of ", vocab_, " rows of ", width_,
          " numbers (got ", rows.size(), " numbers)");
    check(!trains_, "with_table", "a table that trains is the model's own; freeze it first");
    rows_ = std::move(rows), own_ = false;
  }
  /// Trainable, in a copy of its own, or frozen again: the fingerprint is then that of what it has become.
  /// Errors: the table of another substrate than LearnedEmbedding.
  void set_trainable(bool on) {
    check(!on || method_ == LearnedEmbedding::name, "set_table_trainable",
          "the table of this substrate stays frozen (got ", method_, "); LearnedEmbedding has one that trains");
    if (on && !own_) rows_ = rows_.clone(), own_ = true;
    if (trains_ && !on) {
      std::vector<float> numbers;
      for (T const& x : rows_) numbers.push_back(static_cast<float>(ops::real_part(x)));
      fingerprint_ = Fingerprint(method_, vocab_, static_cast<int>(width_)).text("trained").rows(numbers).hex();
    }
    trains_ = on;
  }
  /// Rows that no other model has, if these were ever trained; those of a substrate stay shared. Returns whether it had
  /// to copy them.
  bool unshare() { return own_ && rows_.unshare(); }

 private:
  std::int64_t vocab_, width_;
  std::string method_, fingerprint_, origin_;
  Buffer<T> rows_;
  bool trains_ = false, own_ = false;  // own: shared with no substrate, and with other models until they train
};

}  // namespace gt::nn
