// Pictures by gnuplot: for each one a script and its data, and a PNG where gnuplot is installed.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

/// Columns of numbers; an empty row separates blocks, as gnuplot reads them.
class DataTable {
 public:
  template <class... Numbers>
  void row(const Numbers&... numbers) {
    add({static_cast<double>(numbers)...});
  }
  void gap() { text_ += '\n'; }
  bool empty() const { return text_.empty(); }
  const std::string& text() const { return text_; }

 private:
  void add(std::initializer_list<double> numbers);

  std::string text_;
};

/// The folder that figures are written to.
class FigureFolder {
 public:
  /// Throws `UserError` where it cannot be made or written to.
  explicit FigureFolder(std::string path);

  void data(const std::string& name, const DataTable& table) const;

  /// Writes `name`.gp and, by running it, `name`.png, `width` × `height` pixels.
  void draw(const std::string& name, const std::string& commands, int width = 900,
            int height = 700);

  /// One line: what was drawn and where. Throws `UserError` where gnuplot failed.
  std::string summary() const;

 private:
  void run_gnuplot(const std::string& name);

  std::string path_;
  bool gnuplot_ = false;
  std::vector<std::string> drawn_;
  std::string failed_;
};
