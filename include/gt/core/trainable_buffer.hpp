// SPDX-License-Identifier: MIT
// A Buffer some of whose numbers may train, which then are nobody else's.
#pragma once

#include <utility>

#include "gt/core/buffer.hpp"

namespace gt::inline GT_ABI {

/// The numbers that a model holds, and whether some of them train. Copies share them while all are frozen. Where
/// something begins to train it is copied first if it is shared, and from then on copied with who holds it: so training
/// one model changes no other, and may go on while others read what it once shared.
template <class T>
class TrainableBuffer : public Buffer<T> {
 public:
  TrainableBuffer() = default;
  /// Takes the handle; nothing trains.
  explicit TrainableBuffer(Buffer<T> numbers) : Buffer<T>(std::move(numbers)) {}
  /// Shares what is frozen, copies what trains.
  TrainableBuffer(TrainableBuffer const& other)
      : Buffer<T>(other.trains_ ? other.clone() : other.handle()), trains_{other.trains_} {}
  TrainableBuffer(TrainableBuffer&&) noexcept = default;
  /// As the constructors.
  TrainableBuffer& operator=(TrainableBuffer other) noexcept {
    Buffer<T>::operator=(std::move(other.handle()));
    trains_ = other.trains_;
    return *this;
  }
  ~TrainableBuffer() = default;

  bool trains() const noexcept { return trains_; }  ///< whether some of it does
  /// Says whether some of it trains from now on.
  void set_trains(bool on) {
    if (on && !trains_) this->unshare();
    trains_ = on;
  }
  Buffer<T> const& handle() const noexcept { return *this; }  ///< the memory alone
  Buffer<T>& handle() noexcept { return *this; }              ///< the same, to be replaced

 private:
  bool trains_ = false;
};

}  // namespace gt
