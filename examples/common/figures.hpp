// Pictures by gnuplot: for each one a script and its data, and a PNG where gnuplot is installed.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "files.hpp"

/// Columns of numbers; an empty row separates blocks, as gnuplot reads them.
class DataTable {
 public:
  template <class... Numbers>
  void row(const Numbers&... numbers) {
    ((text_ << numbers << ' '), ...);
    text_ << '\n';
  }
  void gap() { text_ << '\n'; }
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
};

/// The folder that figures are written to.
class FigureFolder {
 public:
  explicit FigureFolder(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    std::filesystem::create_directories(path_, error);
    if (error)
      throw UserError("cannot make the folder '" + path_.string() + "': " + error.message() +
                      ": choose another");
    require_writable(path_ / "probe");
    gnuplot_ = std::system("gnuplot --version > /dev/null 2>&1") == 0;
  }

  void data(const std::string& name, const DataTable& table) const {
    write_atomically(path_ / (name + ".dat"), table.text());
  }

  /// Writes `name`.gp and, by running it, `name`.png, `width` × `height` pixels.
  void draw(const std::string& name, const std::string& commands, int width = 900,
            int height = 700) {
    std::ostringstream script;
    script << "# gnuplot " << name << ".gp, in this folder, draws " << name << ".png\n"
           << "if (!exists('picture')) picture = '" << name << ".png'\n"
           << "set terminal pngcairo enhanced size " << width << "," << height
           << " font 'DejaVu Sans,18' linewidth 1.6\n"
           << "set output picture\n"
           << "set encoding utf8\n"
           << "set minussign\n"
           << commands;
    write_atomically(path_ / (name + ".gp"), script.str());
    if (gnuplot_) run_gnuplot(name);
  }

  /// One line: what was drawn and where. Throws `UserError` where gnuplot failed.
  std::string summary() const {
    if (!failed_.empty())
      throw UserError("gnuplot failed on" + failed_ + " in '" + path_.string() +
                      "': see the .log files there");
    std::string text = "figures in " + path_.string() + ":";
    for (const std::string& name : drawn_) text += " " + name;
    if (!gnuplot_) text += " scripts and data only, for gnuplot is not installed";
    return text;
  }

 private:
  // For the shell: in single quotes, those inside written as '\''.
  static std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
  }

  // Under another name first, so that an interrupt leaves no half of a picture.
  void run_gnuplot(const std::string& name) {
    const std::string partial = name + ".partial.png";
    const std::string command = "cd " + quoted(path_.string()) + " && gnuplot -e \"picture='" +
                                partial + "'\" " + name + ".gp > /dev/null 2> " + name +
                                ".log && mv -f " + partial + " " + name + ".png";
    std::error_code error;
    if (std::system(command.c_str()) != 0) {
      failed_ += " " + name + ".gp";
      std::filesystem::remove(path_ / partial, error);
      return;
    }
    std::filesystem::remove(path_ / (name + ".log"), error);
    drawn_.push_back(name + ".png");
  }

  std::filesystem::path path_;
  bool gnuplot_ = false;
  std::vector<std::string> drawn_;
  std::string failed_;
};
