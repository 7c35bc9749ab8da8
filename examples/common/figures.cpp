#include "figures.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "files.hpp"
#include "ranks.hpp"
#include "user_error.hpp"

namespace {

// For the shell: in single quotes, those inside written as '\''.
std::string shell_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw UserError("cannot make the folder '" + path + "': " + error.message() +
                    ": choose another");
}

}  // namespace

void DataTable::add(std::initializer_list<double> numbers) {
  std::ostringstream row;
  for (const double number : numbers)
    if (std::isnan(number))
      row << "NaN ";  // as gnuplot writes what is missing
    else
      row << number << ' ';
  text_ += row.str() + '\n';
}

FigureFolder::FigureFolder(std::string path) : path_(std::move(path)) {
  ness::detail::on_every_rank(ranks(), [&] {
    if (is_first_rank()) make_folder(path_);
  });
  require_writable(path_ + "/probe");
  gnuplot_ = is_first_rank() && std::system("gnuplot --version > /dev/null 2>&1") == 0;
}

void FigureFolder::data(const std::string& name, const DataTable& table) const {
  write_atomically(path_ + "/" + name + ".dat", table.text());
}

void FigureFolder::draw(const std::string& name, const std::string& commands, int width,
                        int height) {
  std::ostringstream script;
  script << "# gnuplot " << name << ".gp, in this folder, draws " << name << ".png\n"
         << "if (!exists('picture')) picture = '" << name << ".png'\n"
         << "set terminal pngcairo enhanced size " << width << "," << height
         << " font 'DejaVu Sans,18' linewidth 1.6\n"
         << "set output picture\n"
         << "set encoding utf8\n"
         << "set minussign\n"
         << commands;
  write_atomically(path_ + "/" + name + ".gp", script.str());
  if (gnuplot_) run_gnuplot(name);
}

std::string FigureFolder::summary() const {
  if (!failed_.empty())
    throw UserError("gnuplot failed on" + failed_ + " in '" + path_ +
                    "': see the .log files there");
  std::string text = "figures in " + path_ + ":";
  for (const std::string& name : drawn_) text += " " + name;
  if (!gnuplot_) text += " scripts and data only, for gnuplot is not installed";
  return text;
}

// Under another name first, so that an interrupt leaves no half of a picture.
void FigureFolder::run_gnuplot(const std::string& name) {
  const std::string partial = name + ".partial.png";
  const std::string command = "cd " + shell_quoted(path_) + " && gnuplot -e \"picture='" + partial +
                              "'\" " + name + ".gp > /dev/null 2> " + name + ".log && mv -f " +
                              partial + " " + name + ".png";
  std::error_code error;
  if (std::system(command.c_str()) != 0) {
    failed_ += " " + name + ".gp";
    std::filesystem::remove(path_ + "/" + partial, error);
    return;
  }
  std::filesystem::remove(path_ + "/" + name + ".log", error);
  drawn_.push_back(name + ".png");
}
